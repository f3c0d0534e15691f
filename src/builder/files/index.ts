export { applyChmod, type ModeChange, parseChmod } from "./chmod.ts";
export { ContentDigestFile, type ContentDigests } from "./content-digests.ts";
export { EMPTY_TREE } from "./empty-tree.ts";
export { FilesError, type FilesErrorCode } from "./error.ts";
export {
  type FileIngredient,
  type Fingerprint,
  type FingerprintOptions,
  fingerprintSelection,
} from "./fingerprint.ts";
export { followSources } from "./follow-sources.ts";
export {
  DOWNLOAD_MODE,
  downloadMtimeSeconds,
  downloadName,
  type ExpectedChecksum,
  parseChecksum,
  verifyChecksum,
} from "./http-file.ts";
export { LocalTree, type LocalTreeOptions } from "./local-tree.ts";
export {
  type CopyOperation,
  type CopyPlan,
  type PlanOptions,
  planCopy,
} from "./plan-copy.ts";
export { planWorkdir } from "./plan-workdir.ts";
export { resolveInTree } from "./resolve-in-tree.ts";
export { namesSomebody, resolveOwner } from "./resolve-owner.ts";
export { type ResolvedUser, resolveUser } from "./resolve-user.ts";
export { selectFiles } from "./select-files.ts";
export type {
  CopySource,
  SelectedEntry,
  SelectedRoot,
  SelectedSource,
  Selection,
  SelectOptions,
} from "./selection.ts";
export type { FileStamp, FileTree, FilterMatch, Owner, PathFilter, TreeEntry, TreeNode } from "./types.ts";
