import type { RegistryErrorCode } from "./error.ts";

/** What was attempted, for messages. */
export interface Attempt {
  /** Completes "Cannot …": `pull manifest "a/b:1"`. */
  readonly what: string;
  readonly registry: string;
  readonly repository?: string | undefined;
  readonly method: string;
  readonly credentialOrigin?: string | undefined;
  /** The host that was asked, where settings name another than the registry's own. */
  readonly askedAt?: string | undefined;
  /** The host that answered, where that is another one than was asked: the registry has sent us there. */
  readonly sentTo?: string | undefined;
  /** The code for 404. */
  readonly missing?: RegistryErrorCode | undefined;
  /** How often, once that is known. */
  readonly attempts?: number | undefined;
}
