import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** What is wrong with a file of authorities to trust, as a part of a sentence; undefined when nothing is. */
export function authoritiesFault(pem: string): string | undefined {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return "it has no certificate in PEM form";
  return blocks.every(isCertificate) ? undefined : "it has a certificate that is damaged";
}

/**
 * What is wrong with a certificate and key by which to show who we are; undefined when nothing is. Found out before a
 * connection is made with them, which would fail without naming the file.
 */
export function clientPairFault(certificate: string, key: string): string | undefined {
  const [own] = certificate.match(CERTIFICATE) ?? [];
  if (own === undefined || !isCertificate(own)) return "the certificate is not in PEM form, or damaged";
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    return /\bENCRYPTED\b/.test(key)
      ? "the key is encrypted, and nobody can be asked for its password"
      : "the key is not in PEM form, or damaged";
  }
  return new X509Certificate(own).checkPrivateKey(privateKey)
    ? undefined
    : "the key is not that of the certificate";
}

function isCertificate(block: string): boolean {
  try {
    new X509Certificate(block.replaceAll("TRUSTED ", ""));
    return true;
  } catch {
    return false;
  }
}
