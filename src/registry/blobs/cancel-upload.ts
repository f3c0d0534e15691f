import type { HostSession, RegistryRequest } from "../host-session.ts";

const CANCEL_TIMEOUT_MS = 3000;

/** Lets a registry throw away what it has got of a session that nobody will finish. Its answer does not matter. */
export async function cancelUpload(session: HostSession, request: RegistryRequest): Promise<void> {
  try {
    // The caller's own signal may be why the upload ends.
    const signal = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
    const answer = await session.request({ ...request, signal, retries: false });
    answer.body.discard();
  } catch {
    // Registries forget sessions by themselves after a while.
  }
}
