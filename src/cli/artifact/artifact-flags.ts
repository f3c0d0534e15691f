import type { OptionTable } from "../args/option-table.ts";

/** The flags of every command that makes an artifact of files. */
export const ARTIFACT_FLAGS = {
  annotation: { type: "list", value: "KEY=VALUE", summary: "Something to say about the artifact" },
  "annotation-file": {
    type: "string",
    value: "FILE",
    summary: 'JSON with annotations for "$manifest", "$config" and files by their names',
  },
  title: {
    type: "string",
    value: "PATH",
    default: "its path, as far as it is below the current folder",
    summary: "What the only file, or standard input, is called when it is pulled",
  },
} as const satisfies OptionTable;
