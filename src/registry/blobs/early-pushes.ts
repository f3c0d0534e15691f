import type { Descriptor, GrowingBlob } from "../../oci/index.ts";
import { RegistryError } from "../error.ts";
import type { HostSession } from "../host-session.ts";
import { NetworkError } from "../transport/network-error.ts";
import { streamBlob } from "./stream-blob.ts";

/** So many blobs are sent while they are made; others wait until they are whole. */
const MAX_AT_ONCE = 6;

export interface EarlyPush {
  /** Tells the registry's and the repository's name on the wire; asked for once. */
  readonly upstream: () => Promise<{ readonly session: HostSession; readonly repository: string }>;
  readonly blob: GrowingBlob;
  readonly signal?: AbortSignal | undefined;
  /** Bytes sent so far; called from the time on when the blob is whole and so has a name. */
  readonly onSent: (descriptor: Descriptor, sent: number) => void;
  /** The blob will have to be sent whole. */
  readonly onFailed: (descriptor: Descriptor, session: HostSession, reason: string) => void;
}

/** Blobs on their way to registries while they are still being made. */
export class EarlyPushes {
  readonly #running = new Map<string, Promise<boolean>>();
  /** Hosts that do not take bodies whose length nobody knows. */
  readonly #refusing = new Set<string>();
  #count = 0;

  /** Begins to send. Never fails: what did not work is pushed whole later. */
  start(repositoryKey: string, push: EarlyPush): void {
    if (this.#count >= MAX_AT_ONCE) return;
    this.#count++;
    const sending = this.#send(push).finally(() => this.#count--);
    push.blob.descriptor.then(
      ({ digest }) => this.#running.set(`${repositoryKey}@${digest}`, sending),
      () => undefined, // a blob that could not be made is nobody's
    );
  }

  /** Whether that blob has been sent meanwhile; waits for it. Answers once. */
  async take(key: string): Promise<boolean> {
    const sending = this.#running.get(key);
    this.#running.delete(key);
    return (await sending) ?? false;
  }

  async #send({ upstream, blob, signal, onSent, onFailed }: EarlyPush): Promise<boolean> {
    let session: HostSession | undefined;
    let descriptor: Descriptor | undefined;
    let sent = 0;
    const tell = (): void => (descriptor === undefined ? undefined : onSent(descriptor, sent));
    blob.descriptor.then(
      (made) => {
        descriptor = made;
        tell();
      },
      () => undefined,
    );
    try {
      const target = await upstream();
      session = target.session;
      if (this.#refusing.has(session.endpoint.host)) return false;
      await streamBlob(session, {
        repository: target.repository,
        blob,
        signal,
        onSent: (count) => {
          sent = count;
          tell();
        },
      });
      return true;
    } catch (error) {
      if (session !== undefined && isRefusal(error)) this.#refusing.add(session.endpoint.host);
      // What is wrong in earnest is told by the push of the whole blob.
      if (session !== undefined && descriptor !== undefined && signal?.aborted !== true && sent > 0)
        onFailed(descriptor, session, error instanceof Error ? error.message : String(error));
      return false;
    }
  }
}

/** The registry has answered, and did not want it: it will not want the next one either. */
function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && !(error.cause instanceof NetworkError);
}
