import type { RawHeader } from "./decode-header.ts";
import { TarError } from "./error.ts";
import { type MergedHeader, mergePax } from "./merge-pax.ts";
import { decodePaxRecords } from "./pax.ts";

/** Names, xattrs and their keys of one entry together. Linux allows 64 KiB for each attribute, 4 KiB for a path. */
export const MAX_EXTENDED_BYTES: number = 1024 * 1024;

/** All global headers of an archive together: their records are looked through again for every entry. */
const MAX_GLOBAL_BYTES = 64 * 1024;

/** Whether an entry of this type only says something about the entries that follow. */
export function isExtendedType(type: string): boolean {
  return type === "x" || type === "X" || type === "g" || type === "L" || type === "K";
}

/** Keeps what PAX and GNU headers said until the entry comes that they are about. */
export class ExtendedHeaders {
  #global: ReadonlyMap<string, string> = new Map();
  #globalBytes = 0;
  #local: ReadonlyMap<string, string> | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;

  /** Whether the next entry must not be missing. */
  get isPending(): boolean {
    return this.#local !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
  }

  /** Takes the body of a header of type x, X, g, L or K. @throws {TarError} HEADER_INVALID, HEADER_TOO_LARGE */
  take(type: string, body: Buffer): void {
    switch (type) {
      case "g":
        this.#globalBytes += body.length;
        if (this.#globalBytes > MAX_GLOBAL_BYTES) throw extendedTooLarge();
        this.#global = new Map([...this.#global, ...decodePaxRecords(body)]);
        return;
      case "L":
        this.#longName = untilNul(body);
        return;
      case "K":
        this.#longLink = untilNul(body);
        return;
      default:
        this.#local = decodePaxRecords(body);
    }
  }

  /** Applies everything to the entry's own header, and forgets what was only about this entry. */
  applyTo(raw: RawHeader): { readonly header: MergedHeader; readonly records: ReadonlyMap<string, string> } {
    const records = this.#global.size === 0 ? (this.#local ?? NO_RECORDS) : this.#allRecords();
    let header = records.size === 0 ? raw : mergePax(raw, records);
    if (this.#longName !== undefined) header = { ...header, name: this.#longName };
    if (this.#longLink !== undefined) header = { ...header, link: this.#longLink };
    this.#local = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    return { header, records };
  }

  #allRecords(): ReadonlyMap<string, string> {
    return new Map([...this.#global, ...(this.#local ?? NO_RECORDS)]);
  }
}

export function extendedTooLarge(): TarError {
  return new TarError("HEADER_TOO_LARGE", "Cannot read archive: an extended header is too large");
}

const NO_RECORDS: ReadonlyMap<string, string> = new Map();

function untilNul(body: Buffer): string {
  const nul = body.indexOf(0);
  return body.toString("latin1", 0, nul < 0 ? body.length : nul);
}
