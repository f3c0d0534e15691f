/** What proves who we are to a registry. */
export type Credentials =
  | {
      readonly kind: "password";
      readonly username: string;
      readonly password: string;
      readonly origin: string;
    }
  /** An OAuth2 refresh token, as `docker login` stores for some registries. */
  | { readonly kind: "identity-token"; readonly token: string; readonly origin: string }
  /** Sent as a bearer token as it is. */
  | { readonly kind: "registry-token"; readonly token: string; readonly origin: string };

export interface CredentialSource {
  /**
   * Credentials for a registry, or for one repository of it. Asked whenever they are needed; an implementation
   * that is slow remembers its answers. `origin` in the result names a file or program for messages.
   * @throws {RegistryError} CREDENTIALS_UNUSABLE; also where a helper failed and nothing else has any, if `writes`
   */
  find(target: {
    readonly registry: string;
    readonly repository?: string | undefined;
    /** They are for changing something, for which going without is no way out. */
    readonly writes?: boolean | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<Credentials | undefined>;
}
