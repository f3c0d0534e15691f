import { generateKeyPairSync } from "node:crypto";
import { rootCertificates } from "node:tls";
import { describe, expect, test } from "vitest";
import { authoritiesFault, clientPairFault } from "../../../src/registry/hosts/check-pem.ts";

const certificate = rootCertificates[0] ?? "";
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const damaged = certificate.replace("\nMII", "\nXYZ");

describe("authoritiesFault()", () => {
  test("takes certificates, whatever is around them", () => {
    expect(authoritiesFault(certificate)).toBeUndefined();
    expect(
      authoritiesFault(`# ours\r\n${certificate.replaceAll("\n", "\r\n")}\n${rootCertificates[1]}\n`),
    ).toBeUndefined();
    expect(authoritiesFault(certificate.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"))).toBeUndefined();
  });

  test.each([
    ["junk", "no certificate"],
    ["", "no certificate"],
    [key, "no certificate"],
    [damaged, "damaged"],
    [certificate + damaged, "damaged"],
  ])("finds the fault of %#", (pem, fault) => {
    expect(authoritiesFault(pem)).toContain(fault);
  });
});

describe("clientPairFault()", () => {
  const encrypted = privateKey
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
    .toString();
  test.each([
    ["junk", key, "the certificate is not in PEM form"],
    [damaged, key, "the certificate is not in PEM form"],
    [certificate, "junk", "the key is not in PEM form"],
    [certificate, encrypted, "the key is encrypted"],
    [certificate, key, "the key is not that of the certificate"],
  ])("finds the fault of %#", (own, with_, fault) => {
    expect(clientPairFault(own, with_)).toContain(fault);
  });
});
