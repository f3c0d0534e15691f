export { type ConfigEdit, type ConfigInstruction, editConfig } from "./config-edit.ts";
export { type AddedLayer, BASE_DIGEST, BASE_NAME, editImage, type NewBase } from "./edit-image.ts";
export { type EditedTree, editTree, type ImageChange, type TreeEdit } from "./edit-tree.ts";
export { EditedImage } from "./edited-image.ts";
export { parseChange, parseCommand } from "./parse-change.ts";
export { readImage } from "./read-image.ts";
export { type BaseImage, type ImageContent, rebaseImage } from "./rebase.ts";
