export { COMPRESSION_MAGIC_BYTES, detectCompression, type StreamCompression } from "./compression.ts";
export { BLOCK_SIZE, END_OF_ARCHIVE_BYTES, encodeHeader, paddingOf } from "./encode-header.ts";
export { TarError, type TarErrorCode } from "./error.ts";
export type { TarEntryKind, TarHeader } from "./header.ts";
export { TarParser, type TarParserOptions } from "./parser.ts";
export { cleanPath, comparePaths, joinPath, parentPath } from "./path-rules.ts";
export type { TarSink } from "./sink.ts";
export { toLayerEntry } from "./to-layer-entry.ts";
export { parseWhiteout, tarPath, type WhiteoutName } from "./whiteout.ts";
