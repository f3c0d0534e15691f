import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { CURVES, decodeOpensshKey } from "./openssh-key.ts";
import { mpint, string } from "./wire.ts";

/** A private key as an agent offers it. */
export interface AgentKey {
  /** The public key as SSH writes it: what it is known by. */
  readonly publicKey: Buffer;
  /** @param flags which hash RSA is to use: 2 SHA-256, 4 SHA-512. @returns the signature as SSH writes it */
  readonly sign: (data: Uint8Array, flags: number) => Buffer;
}

const RSA_SHA2_256 = 2;
const RSA_SHA2_512 = 4;

/**
 * Reads a private key without a passphrase: OpenSSH's own format, PKCS#8, PKCS#1 or SEC 1; undefined when it has a
 * passphrase.
 * @throws what is wrong with it, as an Error
 */
export function readPrivateKey(text: string): AgentKey | undefined {
  const key = decodeKey(text);
  if (key === undefined) return undefined;
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return ed25519Key(key);
    case "rsa":
      return rsaKey(key);
    case "ec":
      return ecdsaKey(key);
    default:
      throw new TypeError(`keys of the kind ${key.asymmetricKeyType} are not supported`);
  }
}

function decodeKey(text: string): KeyObject | undefined {
  const openssh = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text);
  if (openssh !== null) return decodeOpensshKey(Buffer.from(openssh[1] ?? "", "base64"));
  if (!/-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/.test(text)) throw new TypeError("it is no private key");
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text)) return undefined;
  return createPrivateKey(text);
}

function ed25519Key(key: KeyObject): AgentKey {
  const { x } = key.export({ format: "jwk" });
  const kind = string("ssh-ed25519");
  return {
    publicKey: Buffer.concat([kind, string(decode(x))]),
    sign: (data) => Buffer.concat([kind, string(sign(null, data, key))]),
  };
}

function rsaKey(key: KeyObject): AgentKey {
  const { n, e } = key.export({ format: "jwk" });
  return {
    publicKey: Buffer.concat([string("ssh-rsa"), mpint(decode(e)), mpint(decode(n))]),
    sign: (data, flags) => {
      const [name, hash] =
        (flags & RSA_SHA2_512) !== 0
          ? ["rsa-sha2-512", "sha512"]
          : (flags & RSA_SHA2_256) !== 0
            ? ["rsa-sha2-256", "sha256"]
            : ["ssh-rsa", "sha1"];
      return Buffer.concat([string(name as string), string(sign(hash as string, data, key))]);
    },
  };
}

const CURVE_HASHES: Readonly<Record<string, string>> = {
  nistp256: "sha256",
  nistp384: "sha384",
  nistp521: "sha512",
};

function ecdsaKey(key: KeyObject): AgentKey {
  const { crv, x, y } = key.export({ format: "jwk" });
  const curve = Object.keys(CURVES).find((name) => CURVES[name] === crv);
  if (curve === undefined) throw new TypeError(`keys on the curve ${crv} are not supported`);
  const kind = string(`ecdsa-sha2-${curve}`);
  const point = Buffer.concat([Buffer.of(4), decode(x), decode(y)]);
  return {
    publicKey: Buffer.concat([kind, string(curve), string(point)]),
    sign: (data) => {
      const both = sign(CURVE_HASHES[curve], data, { key, dsaEncoding: "ieee-p1363" });
      const half = both.length / 2;
      const numbers = [mpint(both.subarray(0, half)), mpint(both.subarray(half))];
      return Buffer.concat([kind, string(Buffer.concat(numbers))]);
    },
  };
}

function decode(text: string | undefined): Buffer {
  return Buffer.from(text ?? "", "base64url");
}
