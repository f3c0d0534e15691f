import type { CommandEntry } from "./command.ts";

/** All commands, in the order in which help lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "build",
    group: "Build",
    summary: "Build an image from a Dockerfile",
    load: async () => (await import("./commands/build.ts")).build,
  },
  {
    name: "version",
    group: "Other",
    summary: "Show the version of strake and of what it runs on",
    load: async () => (await import("./commands/version.ts")).version,
  },
  {
    name: "help",
    group: "Other",
    summary: "Show what a command does and its flags",
    load: async () => (await import("./commands/help.ts")).help,
  },
];
