import type { OptionTable, ParsedOptions } from "../args/option-table.ts";
import { PROGRESS_FLAGS } from "../progress/progress-flags.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

const CONFIG = "Config";
const LAYERS = "Layers";

export const EDIT_FLAGS = {
  label: { type: "list", short: "l", value: "KEY=VALUE", group: CONFIG, summary: "Set a label" },
  "label-rm": { type: "list", value: "KEY", group: CONFIG, summary: "Remove a label" },
  env: {
    type: "list",
    short: "e",
    value: "NAME=VALUE",
    group: CONFIG,
    summary: "Set a variable; NAME alone takes its value from here",
  },
  "env-rm": { type: "list", value: "NAME", group: CONFIG, summary: "Remove a variable" },
  entrypoint: {
    type: "string",
    value: "COMMAND",
    group: CONFIG,
    summary:
      "Set the entrypoint, and remove the command; as in a Dockerfile a JSON list or a line for the shell",
  },
  cmd: {
    type: "string",
    value: "COMMAND",
    group: CONFIG,
    summary: "Set the command, written like the entrypoint",
  },
  user: { type: "string", short: "u", value: "USER[:GROUP]", group: CONFIG, summary: "Set the user" },
  workdir: { type: "string", short: "w", value: "DIR", group: CONFIG, summary: "Set the working directory" },
  expose: { type: "list", value: "PORT[/PROTOCOL]", group: CONFIG, summary: "Add a port" },
  "expose-rm": { type: "list", value: "PORT[/PROTOCOL]", group: CONFIG, summary: "Remove a port" },
  volume: { type: "list", value: "DIR", group: CONFIG, summary: "Add a volume" },
  "volume-rm": { type: "list", value: "DIR", group: CONFIG, summary: "Remove a volume" },
  "stop-signal": { type: "string", value: "SIGNAL", group: CONFIG, summary: "Set the signal that stops it" },
  change: {
    type: "list",
    short: "c",
    value: "INSTRUCTION",
    group: CONFIG,
    summary: "An instruction of a Dockerfile that makes no layer, after all flags above: 'HEALTHCHECK NONE'",
  },
  created: {
    type: "string",
    value: "TIME",
    default: "as it is",
    group: CONFIG,
    summary: "When it was made: 2026-01-31T12:00:00Z, seconds since 1970, or now",
  },
  "set-platform": {
    type: "string",
    value: "OS/ARCH",
    group: CONFIG,
    summary: "Say that the image is for another platform",
  },
  annotation: {
    type: "list",
    value: "[PLACE:]KEY=VALUE",
    group: "Annotations",
    summary:
      "Set an annotation of the manifest; PLACE as for build: index, manifest-descriptor, manifest[OS/ARCH]",
  },
  "annotation-rm": {
    type: "list",
    value: "[PLACE:]KEY",
    group: "Annotations",
    summary: "Remove an annotation",
  },
  append: {
    type: "list",
    value: "FILE",
    group: LAYERS,
    summary: "Put a tar on top as a layer; a plain one is compressed with gzip",
  },
  rebase: {
    type: "boolean",
    group: LAYERS,
    summary: "Put the image onto what its base's name stands for now, as its annotations have it",
  },
  "old-base": { type: "string", value: "IMAGE", group: LAYERS, summary: "The base that the image stands on" },
  "new-base": { type: "string", value: "IMAGE", group: LAYERS, summary: "The base to put it onto" },
  platform: {
    type: "list",
    value: "OS/ARCH",
    default: "all; this machine's for a docker archive",
    summary: "Edit only these images of an index; the others stay as they are",
  },
  format: {
    type: "string",
    value: "oci|docker",
    default: "as it is",
    summary: "Whose media types the image is to have",
  },
  "dry-run": { type: "boolean", summary: "Show what would change, and change nothing" },
  ...PROGRESS_FLAGS,
  ...RETRY_FLAGS,
  json: { type: "boolean", summary: "The result as JSON" },
} as const satisfies OptionTable;

export type EditFlags = ParsedOptions<typeof EDIT_FLAGS>;
