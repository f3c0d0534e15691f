import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Compression } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";
import type { ContextSource } from "./context-source.ts";
import type { FailedStep } from "./debug/failed-step.ts";
import type { OnEvent } from "./events.ts";

export type { ContextSource } from "./context-source.ts";

/** What becomes of the result: one `-o`. */
export type OutputSpec =
  | ImageOutput
  | EngineOutput
  | ({ readonly kind: "oci"; readonly destination: string | WritableTarget } & ArchiveOptions)
  | ({ readonly kind: "docker"; readonly destination: string | WritableTarget } & ArchiveOptions)
  | ({ readonly kind: "tar"; readonly destination: string | WritableTarget } & FilesOptions)
  | ({ readonly kind: "local"; readonly destination: string } & FilesOptions)
  /** Nothing: the steps are in the cache then. */
  | { readonly kind: "cacheonly" };

/** The store and, where asked for, the registries of the names. */
export interface ImageOutput extends ImageEncoding {
  readonly kind: "image";
  readonly names: readonly string[];
  readonly push: boolean;
  /** Push without tags: the image has its digest as its only name there, and is kept here without one. */
  readonly pushByDigest?: boolean;
  /** false: the store does not learn of the image. */
  readonly store?: boolean;
}

/** A Docker or Podman that runs on this machine, which gets the image with `POST /images/load`. */
export interface EngineOutput {
  readonly kind: "engine";
  readonly names: readonly string[];
  readonly engine: EngineAddress;
}

/** Where an engine listens. */
export interface EngineAddress {
  /** As it was given: `unix:///var/run/docker.sock`. */
  readonly shownAs: string;
  readonly at: { readonly socketPath: string } | { readonly host: string; readonly port: number };
}

/** How an image's manifest and layers are written. */
export interface ImageEncoding {
  /** For the layers that the build made; the others stay as they are unless `forceCompression`. */
  readonly compression?: Compression;
  readonly compressionLevel?: number;
  readonly forceCompression?: boolean;
  readonly rewriteTimestamp?: boolean;
  /** false writes Docker's media types; OCI's by default. */
  readonly ociMediaTypes?: boolean;
  /** Beside the build's own; keys as there. */
  readonly annotations?: BuildOptions["annotations"];
}

export interface FilesOptions {
  /** Whether a platform's files get a folder of their own, `linux_amd64`; when absent, where there are several. */
  readonly platformSplit?: boolean;
}

/** Standard output, as `dest=-` asks for. */
export interface WritableTarget {
  readonly write: (chunk: Uint8Array) => Promise<void>;
}

export interface ArchiveOptions extends ImageEncoding {
  /** Names to put into the archive. */
  readonly names: readonly string[];
  /** false writes a folder instead of a tar. */
  readonly tar: boolean;
}

export interface SecretSource {
  readonly id: string;
  readonly from:
    | { readonly kind: "file"; readonly path: string }
    | { readonly kind: "env"; readonly value: Uint8Array };
}

/** Everything a build may be told. Paths are absolute; the command line fills in its defaults. */
export interface BuildOptions {
  readonly context: ContextSource;
  /**
   * The Dockerfile: a path, relative where it is one inside a context that is no folder; a URL; or its text when it came
   * from standard input.
   */
  readonly dockerfile:
    | { readonly kind: "path"; readonly path: string; readonly shownAs: string }
    | { readonly kind: "url"; readonly url: string; readonly shownAs: string }
    | { readonly kind: "text"; readonly text: Uint8Array; readonly shownAs: string };
  /** The Dockerfile's own ignore file is looked for beside it (`NAME.dockerignore`), then `.dockerignore` in the context. */
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly buildContexts: Readonly<Record<string, ContextSource>>;
  readonly platforms: readonly Platform[];
  readonly names: readonly string[];
  readonly outputs: readonly OutputSpec[];
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Keys may carry buildx's prefix: `manifest:`, `index:`, `manifest-descriptor:`, `index-descriptor:`, those of manifests
   * with a platform, `manifest[linux/arm64]:`. One for the index makes an index also of a single platform.
   */
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  readonly secrets: readonly SecretSource[];
  /** Agent sockets by id: `--ssh default`. */
  readonly ssh: readonly { readonly id: string; readonly socketPath: string }[];
  readonly network: "default" | "host" | "none";
  readonly extraHosts: readonly { readonly name: string; readonly address: string }[];
  readonly shmSizeBytes: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  /** true: all stages; a list: these stages only. */
  readonly noCache: boolean | readonly string[];
  /** Ask the registry even if the store has the tag. */
  readonly pull: boolean;
  /** `--allow security.insecure`, `--allow network.host`. */
  readonly allow: readonly string[];
  /** Steps that run at once; the number of cores, but at least 8, when absent. */
  readonly maxParallelism?: number;
  readonly onEvent: OnEvent;
  /** Told once what the Dockerfile is, under the name that places in it carry: for showing its lines. */
  readonly onDockerfile?: (file: string, text: Uint8Array) => void;
  /**
   * Takes what a person needs to enter the step that failed, and the folder with what the step had changed, which may be
   * moved away; undefined where it had not got so far. Called at most once.
   */
  readonly onFailedStep?: (step: FailedStep, upper: string | undefined) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

export interface BuildResult {
  /** What the result is known by: the image ID, or the digest of the index of several images. */
  readonly id: Digest;
  /** The image config's digest (of the first platform). */
  readonly imageId: Digest;
  /** The image of each platform, in the order they were asked for. */
  readonly images: readonly { readonly platform: Platform; readonly imageId: Digest }[];
  /** The manifest or index, where an output made it exist. */
  readonly manifest?: Descriptor;
  readonly stepsTotal: number;
  readonly stepsCached: number;
  /** What the build checks have found; each was an event too. */
  readonly warnings: readonly string[];
}
