import { RegistryError } from "../error.ts";

/**
 * Whether a registry refused a manifest for its media type, as those from before OCI's specification do. They have no one
 * way to say it: 415; MANIFEST_INVALID with a word on media types; or, as distribution 2.6, MANIFEST_INVALID and nothing else.
 */
export function isRefusedType(error: unknown): error is RegistryError {
  if (!(error instanceof RegistryError) || error.method !== "PUT") return false;
  if (error.status === 415) return true;
  if (error.status !== 400) return false;
  return error.errors.some(
    ({ code, message }) =>
      (code === "MANIFEST_INVALID" && /media ?-?type|content.?type|^(?:manifest invalid)?$/i.test(message)) ||
      (code === "UNSUPPORTED" && /media ?-?type|content.?type/i.test(message)),
  );
}
