/**
 * The library: what the `strake` command is made of. It reads no environment and writes to no terminal; whatever it needs
 * to know is handed in. docs/library.md has whole examples.
 *
 * ```ts
 * import { join } from "node:path";
 * import { BuildCache, build, createRegistryImages, createRuncSandbox, parsePlatform, Store } from "strake";
 * import { RegistryClient } from "strake/registry";
 *
 * const nowMs = () => performance.now();
 * await using store = await Store.open("/var/lib/strake");
 * using remote = createRegistryImages({ open: async (onEvent) => new RegistryClient({ onEvent }), store, onEvent() {}, nowMs });
 * const { imageId } = await build(
 *   {
 *     store,
 *     cache: new BuildCache(join(store.root, "cache")),
 *     sandbox: createRuncSandbox({ tempDir: store.tmpDir, memoryDir: store.memoryDir, searchPath: "/usr/sbin:/usr/bin" }),
 *     remote,
 *     now: Date.now,
 *     monotonic: nowMs,
 *     hostPlatforms: [parsePlatform("linux/amd64")],
 *   },
 *   options,
 * );
 * ```
 *
 * @packageDocumentation
 */
export {
  type ArchiveOptions,
  BuildError,
  type BuildErrorCode,
  type BuildOptions,
  type BuildResult,
  type BuildStore,
  build,
  type Collaborators,
  type ContextSource,
  createRegistryImages,
  type EngineAddress,
  type EngineOutput,
  type FilesOptions,
  type ImageEncoding,
  type ImageOutput,
  type OnEvent,
  type OutputSpec,
  type ProgressEvent,
  type RegistryImagesOptions,
  type RemoteImage,
  type RemoteImages,
  RunFailedError,
  type SecretSource,
  type WritableTarget,
} from "./builder/index.ts";
export { BuildCache, type CacheRecord, type ListedRecord } from "./cache/index.ts";
export { type ErrorDetails, StrakeError } from "./errors.ts";
export {
  type Descriptor,
  type Digest,
  formatPlatform,
  formatReference,
  hostPlatform,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  OciError,
  type OciErrorCode,
  type Platform,
  parseDigest,
  parsePlatform,
  parseReference,
  type Reference,
} from "./oci/index.ts";
export {
  createRuncSandbox,
  type RuncSandboxOptions,
  RunnerError,
  type RunnerErrorCode,
  type Sandbox,
  type SandboxMount,
  type SandboxResult,
  type SandboxRunOptions,
  type SandboxSpec,
} from "./runner/index.ts";
export {
  type BlobStore,
  type ImageDescription,
  type ImageRecord,
  type ImageStore,
  type LayerInfo,
  type LayerStore,
  type OpenStoreOptions,
  Store,
  StoreError,
  type StoreErrorCode,
} from "./store/index.ts";
export type { SourceSpan } from "./util/span.ts";
