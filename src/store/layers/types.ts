import type { Digest } from "../../oci/digest.ts";
import type { ByteString, LayerEntry, LayerEntryKind } from "../../oci/layer-entry.ts";

/** Where the bytes of a file entry come from. Read once or not at all; never changed. */
export type EntryContent =
  /** A file on this machine; the path as bytes (latin1), see ByteString. */
  | { readonly kind: "file"; readonly hostPath: string; readonly digest?: Digest }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/** A layer entry together with its bytes: `content` is there exactly when `kind` is "file". */
export interface SourcedEntry extends LayerEntry {
  readonly content?: EntryContent;
}

/** What packing a layer yields. */
export interface PackedLayer {
  /** sha256 of the canonical tar. */
  readonly diffId: Digest;
  /** Bytes of that tar. */
  readonly tarSize: number;
  /** sha256 over every entry with its content digest but without recent times: equal trees have equal treeIds. */
  readonly treeId: Digest;
}

/** A file as it stands in a tree: in a stack of layers, in a build context. */
export interface LayerNode {
  readonly kind: Exclude<LayerEntryKind, "hardlink" | "whiteout" | "opaque"> | "socket";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds, rounded down. */
  readonly mtimeSeconds: number;
  readonly size: number;
  readonly link?: ByteString | undefined;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  /** Host path of the file itself (bytes as latin1), for reading its bytes and xattrs. */
  readonly hostPath: string;
  /** Equal for names of the same file; undefined where there is only one name. */
  readonly hardlinkId?: string | undefined;
}
