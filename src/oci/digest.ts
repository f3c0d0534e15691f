import { createHash } from "node:crypto";
import { OciError } from "./error.ts";

declare const digestBrand: unique symbol;

/** `algorithm:hex`, e.g. `sha256:44136fa3…`. Made only by `parseDigest` and the hashers here. */
export type Digest = string & { readonly [digestBrand]: true };

/** The algorithms that image names may carry (sha384 is unregistered but what Docker's tools take). */
export type DigestAlgorithm = "sha256" | "sha384" | "sha512";

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/**
 * Checks and brands a digest.
 * @throws {OciError} DIGEST_INVALID when the algorithm is unknown, the length wrong or the hex not lower case.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */
export function parseDigest(text: string): Digest {
  const fault = digestFault(text);
  if (fault !== undefined) {
    throw new OciError(
      "DIGEST_INVALID",
      `Cannot read digest ${JSON.stringify(text.slice(0, 200))}: ${fault}`,
      {
        hint: "A digest is sha256: and 64 lower-case hex digits, or sha512: and 128",
      },
    );
  }
  return text as Digest;
}

/** Whether `text` is a well-formed digest of an algorithm known here. */
export function isDigest(text: string): text is Digest {
  return digestFault(text) === undefined;
}

/** What is wrong with a digest, in the words that Docker's tools use; undefined when nothing is. */
export function digestFault(text: string): string | undefined {
  const colon = text.indexOf(":");
  if (colon <= 0 || !DIGEST_SHAPE.test(text)) return "invalid checksum digest format";
  const algorithm = text.slice(0, colon);
  if (!Object.hasOwn(HEX_LENGTH, algorithm)) return "unsupported digest algorithm";
  const hex = text.slice(colon + 1);
  if (hex.length !== HEX_LENGTH[algorithm as DigestAlgorithm]) return "invalid checksum digest length";
  return /^[0-9a-f]+$/.test(hex) ? undefined : "invalid checksum digest format";
}

const DIGEST_SHAPE = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/** The part after the colon, and the algorithm before it. */
export function splitDigest(digest: Digest): { readonly algorithm: DigestAlgorithm; readonly hex: string } {
  const colon = digest.indexOf(":");
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}

/** The first 12 hex digits: what people are shown. */
export function shortDigest(digest: Digest): string {
  return splitDigest(digest).hex.slice(0, 12);
}

/** The sha256 digest of bytes, or of a string's UTF-8. */
export function digestOf(content: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(content).digest("hex")}` as Digest;
}

/** A running digest. `digest()` may be called once. */
export interface Hasher {
  update(chunk: Uint8Array | string): void;
  digest(): Digest;
}

export function createHasher(algorithm: DigestAlgorithm = "sha256"): Hasher {
  const hash = createHash(algorithm);
  return {
    update: (chunk) => void hash.update(chunk),
    digest: () => `${algorithm}:${hash.digest("hex")}` as Digest,
  };
}
