import { usageError } from "../error.ts";

/**
 * Mirrors by registry, each registry's in the order given, from `REGISTRY=ADDRESS`.
 * @throws {CliError} USAGE
 */
export function parseMirrors(texts: readonly string[]): Map<string, { readonly address: string }[]> {
  const mirrors = new Map<string, { readonly address: string }[]>();
  for (const text of texts) {
    const [, registry, address] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (registry === undefined || address === undefined) {
      throw usageError(
        `Cannot read "${text}" in $STRAKE_REGISTRY_MIRRORS`,
        "Write REGISTRY=ADDRESS: docker.io=mirror.example.com",
      );
    }
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), { address }]);
  }
  return mirrors;
}
