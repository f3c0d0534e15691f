export { ArchiveFile } from "./archive-file.ts";
export {
  type DockerImage,
  type DockerLayer,
  type DockerManifestEntry,
  openDockerImage,
  readDockerImage,
  readDockerManifest,
} from "./docker-manifest.ts";
export { DockerSource, wrongLayer } from "./docker-source.ts";
export { TransportError, type TransportErrorCode } from "./error.ts";
export type { FileSet } from "./file-set.ts";
export { FolderFiles } from "./folder-files.ts";
export { gzipToFile } from "./gzip-file.ts";
export { type LayerFile, openLayerFile } from "./layer-file.ts";
export { type LayoutImage, nameAnnotations, OciLayout } from "./oci-layout.ts";
export { type OpenArchiveOptions, openArchive } from "./open-archive.ts";
export { TarFiles } from "./tar-files.ts";
export { ArchiveWriter, type ByteOutput, type DockerEntry } from "./write-archive.ts";
export { FolderWriter } from "./write-folder.ts";
