import type { BlobContext, OnRegistryEvent } from "../events.ts";
import type { PushBlobResult } from "./push-types.ts";

/** Progress is told this often at most: once for each of so many bytes. */
const EVENT_BYTES = 1024 * 1024;

/** Passes a download's bytes on and tells how far it is. */
export async function* reportPull(
  bytes: AsyncIterable<Uint8Array>,
  context: BlobContext,
  { offset, onEvent }: { readonly offset: number; readonly onEvent: OnRegistryEvent },
): AsyncGenerator<Uint8Array, void, undefined> {
  let done = offset;
  let told = offset;
  onEvent({ kind: "blob-started", direction: "pull", ...context });
  for await (const chunk of bytes) {
    done += chunk.byteLength;
    if (done - told >= EVENT_BYTES || done === context.size) {
      told = done;
      onEvent({ kind: "blob-bytes", direction: "pull", done, ...context });
    }
    yield chunk;
  }
  onEvent({ kind: "blob-finished", direction: "pull", ...context });
}

/** Tells how far an upload is, and how it ended. */
export class PushReport {
  readonly #context: BlobContext;
  readonly #onEvent: OnRegistryEvent | undefined;
  readonly #onBytes: ((count: number) => void) | undefined;
  #counted = 0;
  #told = 0;
  #started = false;

  constructor(
    context: BlobContext,
    {
      onEvent,
      onBytes,
    }: { onEvent: OnRegistryEvent | undefined; onBytes: ((count: number) => void) | undefined },
  ) {
    this.#context = context;
    this.#onEvent = onEvent;
    this.#onBytes = onBytes;
  }

  /** Bytes sent so far in this try; less than before when it starts over. */
  sent(count: number): void {
    this.#onBytes?.(count - this.#counted);
    this.#counted = count;
    const onEvent = this.#onEvent;
    if (onEvent === undefined) return;
    const context = this.#context;
    if (!this.#started) onEvent({ kind: "blob-started", direction: "push", ...context });
    this.#started = true;
    if (count !== context.size && count !== 0 && count - this.#told < EVENT_BYTES) return;
    this.#told = count;
    onEvent({ kind: "blob-bytes", direction: "push", done: count, ...context });
  }

  ended(result: PushBlobResult): void {
    const context = this.#context;
    switch (result.kind) {
      case "present":
        this.#onEvent?.({ kind: "blob-skipped", direction: "push", ...context });
        return;
      case "mounted":
        this.#onEvent?.({ kind: "blob-mounted", from: result.from, ...context });
        return;
      case "uploaded":
        this.#onEvent?.({ kind: "blob-finished", direction: "push", ...context });
        return;
      default:
        result satisfies never;
    }
  }
}
