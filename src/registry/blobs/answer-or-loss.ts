import { RegistryError } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { NetworkError } from "../transport/network-error.ts";
import type { Answer } from "../transport/sender.ts";

/** A request whose answer did not come: nobody knows how much of it arrived. */
export interface Loss {
  readonly answer?: undefined;
  readonly lost: RegistryError;
  readonly reason: string;
}

/**
 * Sends a part of an upload, once.
 * @throws {RegistryError} what another try would not change, as a certificate that is refused; the signal's reason
 */
export async function answerOrLoss(
  session: HostSession,
  request: RegistryRequest,
): Promise<{ readonly answer: Answer; readonly lost?: undefined } | Loss> {
  try {
    return { answer: await session.request(request) };
  } catch (error) {
    request.signal?.throwIfAborted();
    if (!(error instanceof RegistryError) || !(error.cause instanceof NetworkError)) throw error;
    if (error.code === "TLS_FAILED") throw error;
    return { lost: error, reason: error.cause.message };
  }
}
