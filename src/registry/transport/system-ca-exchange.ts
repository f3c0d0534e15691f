import type { TlsConfig } from "../hosts/types.ts";
import type { Exchange } from "./exchange.ts";
import { NetworkError } from "./network-error.ts";
import { isUnknownAuthority } from "./unknown-authority.ts";

interface WithSystemCa {
  readonly base: TlsConfig | undefined;
  readonly tls: TlsConfig;
}

/**
 * Tries again with the system's authorities where Node's own do not know who signed a certificate, and remembers for
 * which origins that helped.
 */
export function createSystemCaExchange(
  inner: Exchange,
  readSystemCa: () => Promise<readonly string[]>,
): Exchange {
  const helped = new Map<string, WithSystemCa>();

  async function addSystemCa(base: TlsConfig | undefined): Promise<WithSystemCa> {
    return { base, tls: { ...base, extraCa: [...(base?.extraCa ?? []), ...(await readSystemCa())] } };
  }

  return {
    async send(request) {
      const { origin } = request.url;
      const known = helped.get(origin);
      if (known !== undefined && known.base === request.tls)
        return await inner.send({ ...request, tls: known.tls });
      try {
        return await inner.send(request);
      } catch (error) {
        // A body has been begun and cannot be had twice; the first request to a host never has one.
        if (!mayBeOfSystemCa(error) || request.body !== undefined) throw error;
        const added = await addSystemCa(request.tls);
        const answer = await inner.send({ ...request, tls: added.tls }).catch((again: unknown) => {
          // With its authority known, something else may be wrong with the certificate: its name, its dates.
          throw again instanceof NetworkError && again.fault === "certificate" ? again : error;
        });
        helped.set(origin, added);
        return answer;
      }
    },
    close: () => inner.close(),
  };
}

function mayBeOfSystemCa(error: unknown): boolean {
  return error instanceof NetworkError && error.fault === "certificate" && isUnknownAuthority(error.cause);
}
