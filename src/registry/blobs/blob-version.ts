import type { HostSession } from "../host-session.ts";
import type { Answer } from "../transport/sender.ts";

const STRONG_ETAG = /^"[\x21\x23-\x7e]{1,200}"$/;

/**
 * What a host calls the version of a blob that it has begun to send, so that it gives the rest (`If-Range`) only of that one. Only
 * strong ETags count, and only from the host itself: a storage behind it may be another one the next time.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
 */
export class BlobVersion {
  #known: { readonly session: HostSession; readonly etag: string } | undefined;
  /** Hosts that have answered such a question with all of the blob: asking them again could cost that again. */
  readonly #refused = new WeakSet<HostSession>();

  /** The value for `If-Range`, if this host gave one. */
  of(session: HostSession): string | undefined {
    return this.#known?.session === session ? this.#known.etag : undefined;
  }

  /** Remembers what a host says with the bytes that it sends. */
  note(session: HostSession, { headers, hops }: Pick<Answer, "headers" | "hops">): void {
    const etag = headers.one("etag") ?? "";
    const isUsable = hops.length === 0 && STRONG_ETAG.test(etag) && !this.#refused.has(session);
    this.#known = isUsable ? { session, etag } : undefined;
  }

  /** The host did not go on where it was asked to. */
  refused(session: HostSession): void {
    this.#refused.add(session);
    this.#known = undefined;
  }
}
