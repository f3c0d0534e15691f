import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import type { TlsConfig } from "../hosts/types.ts";

/** What Node's TLS connections are given. */
export interface TlsOptions {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: boolean;
}

/**
 * Node's options for a host's TLS, made once for each setting: to read a few hundred authorities takes a tenth of a
 * second, and Node would do it for every connection.
 */
export function createTlsOptions(): (tls: TlsConfig | undefined) => TlsOptions {
  const made = new WeakMap<TlsConfig, TlsOptions>();
  return (tls) => {
    if (tls === undefined) return {};
    let options = made.get(tls);
    if (options === undefined) {
      options = tlsOptions(tls);
      made.set(tls, options);
    }
    return options;
  };
}

function tlsOptions({ extraCa = [], clientCertificate, skipVerify }: TlsConfig): TlsOptions {
  const insecure = skipVerify === true ? { rejectUnauthorized: false } : {};
  if (extraCa.length === 0 && clientCertificate === undefined) return insecure;
  const secureContext = createSecureContext({
    // Node's `ca` replaces the built-in authorities; the extra ones are meant in addition.
    ...(extraCa.length === 0 ? {} : { ca: distinct([...rootCertificates, ...extraCa]) }),
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.key }),
  });
  return { secureContext, ...insecure };
}

/** Each certificate once: most of a system's authorities are Node's own too. Text that is no certificate stays. */
function distinct(texts: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const text of texts) {
    const blocks = text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [text];
    for (const block of blocks) found.set(block.replace(/\s+/g, ""), block);
  }
  return [...found.values()];
}
