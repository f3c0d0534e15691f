import { type Digest, digestOf } from "./digest.ts";

/**
 * The chainID of each prefix of a stack of layers, bottom first: the identity of the file system that they make
 * together. Same length as `diffIds`; the last one names the whole stack.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-chainid
 */
export function computeChainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chainIds: Digest[] = [];
  let previous: Digest | undefined;
  for (const diffId of diffIds) {
    previous = previous === undefined ? diffId : digestOf(`${previous} ${diffId}`);
    chainIds.push(previous);
  }
  return chainIds;
}
