import type { TlsConfig } from "../hosts/types.ts";

/**
 * Names for TLS settings: equal for the same object, different for different ones. Connections made with one are never
 * used for another, and certificates are long texts to compare for every request.
 */
export function createTlsKeys(): (tls: TlsConfig | undefined) => string {
  const numbers = new WeakMap<TlsConfig, number>();
  let last = 0;
  return (tls) => {
    if (tls === undefined) return "";
    let number = numbers.get(tls);
    if (number === undefined) {
      number = ++last;
      numbers.set(tls, number);
    }
    return String(number);
  };
}
