export { build } from "./build.ts";
export type { BuildStore, Collaborators, RemoteImage, RemoteImages } from "./collaborators.ts";
export { BuildError, type BuildErrorCode, RunFailedError } from "./error.ts";
export type { OnEvent, ProgressEvent } from "./events.ts";
export { createRegistryImages, type RegistryImagesOptions } from "./remote/index.ts";
export { fetchDockerfile } from "./sources/fetch-dockerfile.ts";
export type {
  ArchiveOptions,
  BuildOptions,
  BuildResult,
  ContextSource,
  EngineAddress,
  EngineOutput,
  FilesOptions,
  ImageEncoding,
  ImageOutput,
  OutputSpec,
  SecretSource,
  WritableTarget,
} from "./types.ts";
