import type { TlsConfig } from "../hosts/types.ts";

/**
 * Whom to trust, without who we are: for other hosts that a registry sends us to, whose certificates it vouches for. Gives the
 * same object for the same settings, which is how connections know that they are of one kind.
 */
export function createTrustOnly(): (tls: TlsConfig | undefined) => TlsConfig | undefined {
  const made = new WeakMap<TlsConfig, TlsConfig>();
  return (tls) => {
    if (tls?.clientCertificate === undefined) return tls;
    const known = made.get(tls);
    if (known !== undefined) return known;
    const { clientCertificate: _own, ...trust } = tls;
    made.set(tls, trust);
    return trust;
  };
}
