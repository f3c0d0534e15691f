import type { CommandEntry } from "./command.ts";

const BUILD = "Build";
const IMAGES = "Images";
const REGISTRIES = "Registries";
const ARTIFACTS = "Artifacts";
const CACHE = "Build cache";
const OTHER = "Other";

/** All commands, in the order in which help lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "build",
    group: BUILD,
    summary: "Build an image from a Dockerfile",
    load: async () => (await import("./commands/build.ts")).build,
  },
  {
    name: "check",
    group: BUILD,
    summary: "Find mistakes in Dockerfiles, without building",
    load: async () => (await import("./commands/check.ts")).check,
  },
  {
    name: "parse",
    group: BUILD,
    summary: "Show what a builder reads in Dockerfiles",
    load: async () => (await import("./commands/parse.ts")).parse,
  },
  {
    name: "logs",
    group: BUILD,
    summary: "Show what the steps of a build have printed",
    load: async () => (await import("./commands/logs.ts")).logs,
  },
  {
    name: "debug",
    group: BUILD,
    summary: "Open a shell in the step at which a build failed",
    load: async () => (await import("./commands/debug.ts")).debug,
  },
  {
    name: "images",
    group: IMAGES,
    summary: "List the images of the store",
    load: async () => (await import("./commands/images.ts")).images,
  },
  {
    name: "pull",
    group: IMAGES,
    summary: "Fetch images from registries into the store",
    load: async () => (await import("./commands/pull.ts")).pull,
  },
  {
    name: "push",
    group: IMAGES,
    summary: "Push images of the store to registries",
    load: async () => (await import("./commands/push.ts")).push,
  },
  {
    name: "copy",
    group: IMAGES,
    summary: "Copy an image between registries, folders, archives and the store",
    load: async () => (await import("./commands/copy.ts")).copy,
  },
  {
    name: "edit",
    group: IMAGES,
    summary: "Change an image without building it: labels, variables, its base, layers on top",
    load: async () => (await import("./commands/edit.ts")).edit,
  },
  {
    name: "save",
    group: IMAGES,
    summary: "Write images of the store into an archive",
    load: async () => (await import("./commands/save.ts")).save,
  },
  {
    name: "load",
    group: IMAGES,
    summary: "Take the images of an archive into the store",
    load: async () => (await import("./commands/load.ts")).load,
  },
  {
    name: "tag",
    group: IMAGES,
    summary: "Give an image of the store one more name",
    load: async () => (await import("./commands/tag.ts")).tag,
  },
  {
    name: "rmi",
    group: IMAGES,
    summary: "Remove images from the store",
    load: async () => (await import("./commands/rmi.ts")).rmi,
  },
  {
    name: "inspect",
    group: IMAGES,
    summary: "Show all that is known of images of the store, as JSON",
    load: async () => (await import("./commands/inspect.ts")).inspect,
  },
  {
    name: "history",
    group: IMAGES,
    summary: "Show how an image came about, newest step first",
    load: async () => (await import("./commands/history.ts")).history,
  },
  {
    name: "login",
    group: REGISTRIES,
    summary: "Store a user name and password for a registry",
    load: async () => (await import("./commands/login.ts")).login,
  },
  {
    name: "logout",
    group: REGISTRIES,
    summary: "Forget the user name and password for a registry",
    load: async () => (await import("./commands/logout.ts")).logout,
  },
  {
    name: "registry ls",
    group: REGISTRIES,
    summary: "List the repositories of a registry",
    load: async () => (await import("./commands/registry-ls.ts")).registryLs,
  },
  {
    name: "registry tags",
    group: REGISTRIES,
    summary: "List the tags of a repository",
    load: async () => (await import("./commands/registry-tags.ts")).registryTags,
  },
  {
    name: "registry manifest",
    group: REGISTRIES,
    summary: "Show a manifest or index of a registry",
    load: async () => (await import("./commands/registry-manifest.ts")).registryManifest,
  },
  {
    name: "registry digest",
    group: REGISTRIES,
    summary: "Show the digest that a tag has now",
    load: async () => (await import("./commands/registry-digest.ts")).registryDigest,
  },
  {
    name: "registry blob",
    group: REGISTRIES,
    summary: "Fetch a blob: a layer, a config",
    load: async () => (await import("./commands/registry-blob.ts")).registryBlob,
  },
  {
    name: "registry referrers",
    group: REGISTRIES,
    summary: "List signatures, attestations and the like of an image",
    load: async () => (await import("./commands/registry-referrers.ts")).registryReferrers,
  },
  {
    name: "registry delete",
    group: REGISTRIES,
    summary: "Delete tags or images from a registry",
    load: async () => (await import("./commands/registry-delete.ts")).registryDelete,
  },
  {
    name: "registry limits",
    group: REGISTRIES,
    summary: "Show how many pulls a registry allows",
    load: async () => (await import("./commands/registry-limits.ts")).registryLimits,
  },
  {
    name: "artifact push",
    group: ARTIFACTS,
    summary: "Push files that are no image to a registry",
    load: async () => (await import("./commands/artifact-push.ts")).artifactPush,
  },
  {
    name: "artifact pull",
    group: ARTIFACTS,
    summary: "Fetch the files of an artifact into a folder",
    load: async () => (await import("./commands/artifact-pull.ts")).artifactPull,
  },
  {
    name: "artifact attach",
    group: ARTIFACTS,
    summary: "Push files about an image, found through it: an SBOM, a signature",
    load: async () => (await import("./commands/artifact-attach.ts")).artifactAttach,
  },
  {
    name: "cache ls",
    group: CACHE,
    summary: "List the steps that the build cache has results of",
    load: async () => (await import("./commands/cache-ls.ts")).cacheLs,
  },
  {
    name: "cache show",
    group: CACHE,
    summary: "Show a result of the build cache and what its key was made of",
    load: async () => (await import("./commands/cache-show.ts")).cacheShow,
  },
  {
    name: "completion",
    group: OTHER,
    summary: "Print a script that completes commands and flags in a shell",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  {
    name: "version",
    group: OTHER,
    summary: "Show the version of strake and of what it runs on",
    load: async () => (await import("./commands/version.ts")).version,
  },
  {
    name: "help",
    group: OTHER,
    summary: "Show what a command does and its flags",
    load: async () => (await import("./commands/help.ts")).help,
  },
];
