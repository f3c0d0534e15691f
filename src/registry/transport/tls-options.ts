import { rootCertificates, type SecureContextOptions } from "node:tls";
import type { TlsConfig } from "../hosts/types.ts";

/** Node's options for one host's TLS. */
export function tlsOptions(
  tls: TlsConfig | undefined,
): SecureContextOptions & { readonly rejectUnauthorized?: boolean } {
  if (tls === undefined) return {};
  const { extraCa, clientCertificate, skipVerify } = tls;
  return {
    // Node's `ca` replaces the built-in authorities; the extra ones are meant in addition.
    ...(extraCa === undefined || extraCa.length === 0 ? {} : { ca: [...rootCertificates, ...extraCa] }),
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.key }),
    ...(skipVerify === true ? { rejectUnauthorized: false } : {}),
  };
}
