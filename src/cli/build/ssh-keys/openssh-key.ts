import { createPrivateKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { WireReader } from "./wire.ts";

const MAGIC = Buffer.from("openssh-key-v1\0");

/** Curves of ECDSA: SSH's name for each, and JWK's. */
export const CURVES: Readonly<Record<string, string>> = {
  nistp256: "P-256",
  nistp384: "P-384",
  nistp521: "P-521",
};

/**
 * Decodes what `ssh-keygen` writes between BEGIN and END OPENSSH PRIVATE KEY; undefined when it has a passphrase.
 * @throws {RangeError} when it is damaged; {TypeError} for a kind of key that is not known here
 * @see https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.key
 */
export function decodeOpensshKey(bytes: Uint8Array): KeyObject | undefined {
  const reader = new WireReader(bytes);
  if (!reader.take(MAGIC.length).equals(MAGIC))
    throw new RangeError("it does not begin as an OpenSSH key does");
  const cipher = reader.string().toString();
  reader.string(); // how the passphrase becomes a key
  reader.string();
  if (reader.uint32() !== 1) throw new RangeError("it does not hold one key");
  reader.string(); // the public key, which is in the private one too
  if (cipher !== "none") return undefined;
  const secret = new WireReader(reader.string());
  const check = secret.uint32();
  if (secret.uint32() !== check) throw new RangeError("its check numbers differ");
  return createPrivateKey({ key: readJwk(secret), format: "jwk" });
}

function readJwk(reader: WireReader): JsonWebKey {
  const kind = reader.string().toString();
  if (kind === "ssh-ed25519") {
    const x = reader.string();
    const d = reader.string().subarray(0, 32);
    return { kty: "OKP", crv: "Ed25519", x: encode(x), d: encode(d) };
  }
  if (kind === "ssh-rsa") {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => toNumber(reader.string())) as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const parts = { n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi };
    return {
      kty: "RSA",
      ...Object.fromEntries(Object.entries(parts).map(([key, value]) => [key, encodeNumber(value)])),
    };
  }
  const curve = CURVES[kind.replace("ecdsa-sha2-", "")];
  if (curve === undefined) throw new TypeError(`keys of the kind ${kind} are not supported`);
  reader.string(); // the curve's name once more
  const point = reader.string();
  const size = (point.length - 1) / 2;
  const scalar = reader.string();
  return {
    kty: "EC",
    crv: curve,
    x: encode(point.subarray(1, 1 + size)),
    y: encode(point.subarray(1 + size)),
    d: encode(fixed(scalar, size)),
  };
}

/** A number's bytes at a fixed length: SSH leaves zeros in front out, or adds one. */
export function fixed(bytes: Uint8Array, size: number): Buffer {
  const digits = Buffer.from(bytes).subarray(Math.max(0, bytes.length - size));
  return Buffer.concat([Buffer.alloc(size - digits.length), digits]);
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function encodeNumber(value: bigint): string {
  const hex = value.toString(16);
  return encode(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex"));
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
