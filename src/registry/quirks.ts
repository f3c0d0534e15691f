/** What a registry does with uploads in pieces. */
export interface ChunkLimits {
  /** Smallest piece but the last. */
  readonly minBytes: number;
  readonly maxBytes: number;
  /** false: it takes one PATCH and no more. */
  readonly supported: boolean;
}

/** Large enough that round trips do not count, small enough for most proxies. */
const DEFAULT_LIMITS: ChunkLimits = { minBytes: 0, maxBytes: 16 * 1024 * 1024, supported: true };

/**
 * Facts about registries that cannot be found out by asking, each with where it was reported. Everything else is
 * decided by what a registry answers.
 */
const CHUNK_LIMITS: readonly { readonly host: RegExp; readonly limits: Partial<ChunkLimits> }[] = [
  // Larger pieces are answered 416 "too large": https://github.com/oras-project/rust-oci-client/issues/35
  { host: /^ghcr\.io$/, limits: { maxBytes: 4 * 1024 * 1024 } },
  // Smaller pieces are answered "LayerPartTooSmall": https://github.com/dotnet/sdk-container-builds/issues/424
  {
    host: /\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    limits: { minBytes: 5 * 1024 * 1024 },
  },
  // https://github.com/dotnet/sdk-container-builds/issues/287
  { host: /(?:^|\.)gcr\.io$|-docker\.pkg\.dev$/, limits: { supported: false } },
];

export function chunkLimits(host: string): ChunkLimits {
  const found = CHUNK_LIMITS.find((entry) => entry.host.test(host));
  return { ...DEFAULT_LIMITS, ...found?.limits };
}
