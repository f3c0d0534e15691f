/** How TLS is done with one host. Certificates and keys are PEM text. */
export interface TlsConfig {
  /** Authorities trusted in addition to the usual ones. */
  readonly extraCa?: readonly string[];
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
  /** Accept any certificate. */
  readonly skipVerify?: boolean;
}

/** One server that speaks for a registry: the registry itself, or a mirror of it. */
export interface Endpoint {
  /** Host with optional port. */
  readonly host: string;
  /** The registry itself: credentials are looked up by the registry's name, not by this host's. */
  readonly isUpstream?: boolean;
  /** Put before `/v2/`; without slash at the end. */
  readonly pathPrefix?: string;
  /**
   * `detect` tries both: plain http first on loopback (nothing secret is sent before a server has answered), https
   * first elsewhere.
   */
  readonly protocol: "https" | "http" | "detect";
  readonly tls?: TlsConfig;
  /** Repositories have other names here: what starts with `from` starts with `to` instead. Either may be empty. */
  readonly rename?: { readonly from: string; readonly to: string };
  /** Sent with every request to this endpoint and no other. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Adds `ns=` with the registry's name, for mirrors that serve many registries. */
  readonly sendsNamespace?: boolean;
}

export interface Mirror extends Endpoint {
  /** Which manifests may be asked for; blobs always may. */
  readonly pull: "all" | "digest-only" | "tag-only";
}

/** Where a registry's requests go. */
export interface HostConfig {
  readonly upstream: Endpoint;
  /** Tried in order before the upstream, for reading only. */
  readonly mirrors?: readonly Mirror[];
  /** Why this registry must not be used at all. */
  readonly blocked?: string;
}

export interface HostConfigSource {
  /**
   * Where requests about a repository go; without one, about the registry as a whole. Equal answers should be the same
   * object: connections, logins and tokens are kept for each.
   * @throws {RegistryError} CONFIG_INVALID
   */
  find(registry: string, repository?: string): Promise<HostConfig>;
}
