import type { OptionTable, ParsedOptions } from "../args/option-table.ts";
import { PROGRESS_FLAG } from "../progress/progress-flags.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";

const SOURCE = "What to build";
const RESULT = "What becomes of it";
const STEPS = "What steps may use";
const CACHE = "Cache";
const SHOW = "What is shown";

/** The flags of `strake build`, in Docker's spelling. */
export const BUILD_FLAGS = {
  file: {
    type: "string",
    short: "f",
    value: "FILE",
    group: SOURCE,
    default: "CONTEXT/Dockerfile",
    summary: "The Dockerfile, or its URL; - reads it from standard input",
  },
  target: {
    type: "string",
    value: "STAGE",
    group: SOURCE,
    default: "the last stage",
    summary: "Stage to build",
  },
  "build-arg": {
    type: "list",
    value: "NAME[=VALUE]",
    group: SOURCE,
    summary: "Value for an ARG; without =VALUE it is taken from the environment",
  },
  "build-context": {
    type: "list",
    value: "NAME[::PLATFORM]=SOURCE",
    group: SOURCE,
    summary:
      "One more context for FROM and --from: a folder, docker-image://NAME, oci-layout://DIR[:TAG], a git repository or a URL",
  },
  platform: {
    type: "list",
    value: "OS/ARCH",
    group: SOURCE,
    default: "$DOCKER_DEFAULT_PLATFORM, else this machine's",
    summary: "Platform to build for; several apart by commas make an index",
  },
  pull: { type: "boolean", group: SOURCE, summary: "Ask the registry for base images even if they are here" },

  tag: { type: "list", short: "t", value: "NAME[:TAG]", group: RESULT, summary: "Name for the image" },
  output: {
    type: "list",
    short: "o",
    value: "SPEC",
    group: RESULT,
    default: "type=image, the store",
    summary:
      "DIR, - or type=TYPE[,dest=PATH][,OPTION=VALUE]...; types are image, oci, docker, tar, local, registry, cacheonly",
  },
  push: { type: "boolean", group: RESULT, summary: "Push the image to the registries of its names" },
  load: {
    type: "boolean",
    group: RESULT,
    summary: "Put the image into the store, and into a Docker or Podman that runs here",
  },
  label: { type: "list", value: "KEY=VALUE", group: RESULT, summary: "Label of the image" },
  annotation: {
    type: "list",
    value: "[TYPE:]KEY=VALUE",
    group: RESULT,
    summary:
      "Annotation of the manifest, or of TYPE: manifest, index, manifest-descriptor, index-descriptor; manifest[OS/ARCH]",
  },
  iidfile: {
    type: "string",
    value: "FILE",
    group: RESULT,
    summary: "Write the image ID to a file, or the index's digest",
  },
  "metadata-file": {
    type: "string",
    value: "FILE",
    group: RESULT,
    summary: "Write digests and names as JSON to a file",
  },

  secret: {
    type: "list",
    value: "id=ID[,src=FILE|,env=NAME]",
    group: STEPS,
    summary: "Secret for RUN --mount=type=secret; it stays out of layers, cache keys and logs",
  },
  ssh: {
    type: "list",
    value: "ID[=SOCKET|KEY[,KEY]]",
    group: STEPS,
    summary: "SSH agent for RUN --mount=type=ssh, or keys to offer; default is $SSH_AUTH_SOCK",
  },
  network: {
    type: "string",
    value: "MODE",
    group: STEPS,
    default: "default",
    summary: "Network of RUN: default, host or none",
  },
  "add-host": { type: "list", value: "NAME:ADDRESS", group: STEPS, summary: "Line of /etc/hosts" },
  "shm-size": { type: "string", value: "SIZE", group: STEPS, default: "64m", summary: "Size of /dev/shm" },
  ulimit: { type: "list", value: "NAME=SOFT[:HARD]", group: STEPS, summary: "Resource limit of RUN" },
  jobs: {
    type: "string",
    short: "j",
    value: "N",
    group: STEPS,
    default: "one for each core, at least 8",
    summary: "How many steps may run at once",
  },
  allow: {
    type: "list",
    value: "RIGHT",
    group: STEPS,
    summary: "Right that a Dockerfile may use: security.insecure, network.host",
  },

  "no-cache": { type: "boolean", group: CACHE, summary: "Run every step again" },
  "no-cache-filter": {
    type: "list",
    value: "STAGE",
    group: CACHE,
    summary: "Run the steps of these stages again",
  },
  "cache-from": { type: "list", value: "SPEC", group: CACHE, hidden: true, summary: "Cache to import" },
  "cache-to": {
    type: "list",
    value: "SPEC",
    group: CACHE,
    hidden: true,
    summary: "Where to export the cache",
  },

  "retry-timeout": { ...RETRY_FLAGS["retry-timeout"], group: RESULT },

  progress: { ...PROGRESS_FLAG, group: SHOW },
  "on-fail": {
    type: "string",
    value: "WHAT",
    group: SHOW,
    default: "stop",
    summary: "What to do when a step fails: stop, or open a shell in it as strake debug does",
  },
  quiet: { type: "boolean", short: "q", group: SHOW, summary: "Show only errors, and print the image ID" },
  call: {
    type: "string",
    value: "WHAT",
    group: SHOW,
    default: "build",
    summary: "build, check, outline or targets[,format=json]",
  },
  check: {
    type: "boolean",
    group: SHOW,
    summary: "Check the Dockerfile instead of building it, as --call check does",
  },

  // What scripts written for Docker pass. Steps never leave containers behind, and no attestations are made.
  rm: { type: "boolean", hidden: true, summary: "No effect" },
  "force-rm": { type: "boolean", hidden: true, summary: "No effect" },
  provenance: { type: "string", value: "KIND", hidden: true, summary: "Only false" },
  sbom: { type: "string", value: "KIND", hidden: true, summary: "Only false" },
} as const satisfies OptionTable;

/** A build command line's flags as they were given. */
export type BuildFlags = ParsedOptions<typeof BUILD_FLAGS>;
