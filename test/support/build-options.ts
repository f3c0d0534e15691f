import type { BuildOptions } from "../../src/builder/index.ts";

/** A build of a Dockerfile's text with nothing else asked for. */
export function plainBuild(text: string, folder: string): BuildOptions {
  return {
    context: { kind: "dir", path: folder },
    dockerfile: { kind: "text", text: Buffer.from(text), shownAs: "Dockerfile" },
    buildArgs: {},
    buildContexts: {},
    platforms: [],
    names: [],
    outputs: [],
    labels: {},
    annotations: [],
    secrets: [],
    ssh: [],
    network: "default",
    extraHosts: [],
    shmSizeBytes: 64 << 20,
    ulimits: [],
    noCache: false,
    pull: false,
    allow: [],
    onEvent: () => undefined,
  };
}
