import type { BlobOpener, Descriptor, GrowingBlob } from "../../oci/index.ts";
import type { Clock } from "../clock.ts";
import type { BlobContext, OnRegistryEvent } from "../events.ts";
import type { HostSession } from "../host-session.ts";
import type { RetryPolicy } from "../transport/retry.ts";
import type { EarlyPushes } from "./early-pushes.ts";
import type { KnownBlobs } from "./known-blobs.ts";
import { chooseMountCandidates } from "./mount-candidates.ts";
import { pushBlob } from "./push-blob.ts";
import type { PushBlobResult } from "./push-types.ts";
import { PushReport } from "./report-progress.ts";

/** What all repositories of a client share. */
export interface UploadsDeps {
  readonly known: KnownBlobs;
  /** Pushes that are under way. */
  readonly uploads: Map<string, Promise<PushBlobResult>>;
  readonly early: EarlyPushes;
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  readonly onEvent: OnRegistryEvent | undefined;
}

export interface PushOptions {
  /** `registry/repository` names that may have the blob, beside those that this client has seen itself. */
  readonly mountFrom?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((count: number) => void) | undefined;
}

interface Target {
  readonly registry: string;
  /** The repository's path. */
  readonly name: string;
  /** The registry itself, and what it calls the repository. */
  readonly upstream: () => Promise<{ readonly session: HostSession; readonly repository: string }>;
}

/** Pushes of blobs to one repository: each blob once, and not at all where it is known to be there. */
export class RepositoryUploads {
  readonly #target: Target;
  readonly #deps: UploadsDeps;

  constructor(target: Target, deps: UploadsDeps) {
    this.#target = target;
    this.#deps = deps;
  }

  /** Equal pushes at the same time are one. @throws {RegistryError} @throws {OciError} BLOB_CORRUPT */
  async push(descriptor: Descriptor, open: BlobOpener, options: PushOptions): Promise<PushBlobResult> {
    const { uploads, known, onEvent } = this.#deps;
    const { registry, name } = this.#target;
    const key = `${registry}/${name}@${descriptor.digest}`;
    if (known.has(registry, name, descriptor.digest)) {
      onEvent?.({ kind: "blob-skipped", direction: "push", ...this.#context(descriptor) });
      return { kind: "present" };
    }
    const running = uploads.get(key);
    if (running !== undefined) {
      try {
        await running;
        return { kind: "present" };
      } catch {
        // That one's trouble may be its source or its signal: go on with ours.
        options.signal?.throwIfAborted();
      }
    }
    const upload = this.#upload(descriptor, open, options).finally(() => uploads.delete(key));
    uploads.set(key, upload);
    return await upload;
  }

  /** Begins to send a blob that is still being made, and returns. It need not work: the blob is pushed behind it. */
  pushGrowing(blob: GrowingBlob, signal: AbortSignal | undefined): void {
    const { early, onEvent } = this.#deps;
    const { registry, name, upstream } = this.#target;
    let report: PushReport | undefined;
    early.start(`${registry}/${name}`, {
      upstream,
      blob,
      signal,
      onSent: (descriptor, sent) => {
        report ??= new PushReport(this.#context(descriptor), { onEvent, onBytes: undefined });
        report.sent(sent);
      },
      onFailed: ({ digest }, session, reason) =>
        onEvent?.({
          kind: "retried",
          registry: session.endpoint.host,
          request: `upload of ${digest} to ${name}`,
          attempt: 1,
          waitMs: 0,
          reason,
        }),
    });
  }

  async #upload(descriptor: Descriptor, open: BlobOpener, options: PushOptions): Promise<PushBlobResult> {
    const { known, early, onEvent, clock, policy } = this.#deps;
    const { registry, name } = this.#target;
    const { digest, size } = descriptor;
    const { session, repository } = await this.#target.upstream();
    const origins = [...(options.mountFrom ?? []), ...known.origins(registry, digest)];
    const report = new PushReport(this.#context(descriptor), { onEvent, onBytes: options.onBytes });
    if (await early.take(`${registry}/${name}@${digest}`)) {
      known.note(registry, name, digest);
      report.ended({ kind: "uploaded" });
      return { kind: "uploaded" };
    }
    const result = await pushBlob(
      session,
      {
        repository,
        descriptor,
        open,
        mountFrom: chooseMountCandidates(origins, { registry, repository: name, size }).map((from) =>
          session.wireName(from),
        ),
        signal: options.signal,
        onSent: (sent) => report.sent(sent),
      },
      { clock, policy, onEvent },
    );
    known.note(registry, name, digest);
    report.ended(result);
    return result;
  }

  #context({ digest, size }: Descriptor): BlobContext {
    const { registry, name } = this.#target;
    return { registry, repository: name, digest, size };
  }
}
