import type { Platform } from "../../oci/platform.ts";
import type { SourceSpan } from "../../util/span.ts";
import type { ContextSource } from "../context-source.ts";
import type { GitSource } from "./git-source.ts";

/*
 * The build graph: one vertex for each thing to be done, edges to what it reads. Vertices are values: two with the
 * same `id` do the same thing, so equal steps of two stages are one.
 */

interface VertexBase {
  /** Digest of the operation and of the ids of its inputs. */
  readonly id: string;
  /** The step as shown to a person: `[build 2/5] RUN npm ci`. */
  readonly name: string;
  /** The instruction that asked for it. */
  readonly at: SourceSpan | undefined;
}

/** A state without any file. */
export interface ScratchVertex extends VertexBase {
  readonly kind: "scratch";
}

/** The layers of an image; the image itself was resolved while planning. */
export interface ImageVertex extends VertexBase {
  readonly kind: "image";
  /** Key into the plan's resolved images. */
  readonly image: string;
}

/** The files of a context, after its .dockerignore. */
export interface ContextVertex extends VertexBase {
  readonly kind: "context";
  /** "" for the build's own context. */
  readonly context: string;
  readonly source: ContextSource;
}

/** Where a COPY or ADD takes files from. */
export type CopySource =
  | {
      readonly kind: "tree";
      readonly from: ContextVertex | StateVertex;
      /** Absolute inside the tree, cleaned; may hold wildcards. */
      readonly path: string;
      /** As written, for messages. */
      readonly written: string;
      /** What follows the pivot of `--parents`; undefined without that flag. */
      readonly parentsPattern?: string;
    }
  | { readonly kind: "inline"; readonly name: string; readonly content: Uint8Array }
  | { readonly kind: "http"; readonly url: string; readonly checksum?: string; readonly unpack: boolean }
  | ({ readonly kind: "git" } & GitSource);

/** COPY and ADD. */
export interface CopyVertex extends VertexBase {
  readonly kind: "copy";
  readonly instruction: "COPY" | "ADD";
  readonly input: StateVertex;
  readonly sources: readonly CopySource[];
  /** Absolute, cleaned, but keeping a trailing slash. */
  readonly destination: string;
  /** As written, expanded: names are looked up in `input`. */
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
  readonly unpack: boolean;
  /** Present when `--unpack=true` is written. */
  readonly isUnpackAsked?: true;
  readonly ignoreCache: boolean;
  /** Time for folders and inline files that the step makes, in seconds; the time of the build when absent. */
  readonly epochSeconds?: number;
}

/** WORKDIR: makes sure that a folder is there. */
export interface WorkdirVertex extends VertexBase {
  readonly kind: "workdir";
  readonly input: StateVertex;
  readonly path: string;
  /** The USER in force: owner of the folders it makes. */
  readonly user: string;
  readonly ignoreCache: boolean;
  readonly epochSeconds?: number;
}

/** A mount of a RUN. Where others' files are mounted, `from` says whose: a vertex, unless it is a mount of another kind. */
export type ExecMount<From = ContextVertex | StateVertex> =
  | {
      readonly kind: "bind";
      readonly from: From;
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
    }
  | {
      readonly kind: "cache";
      readonly cacheId: string;
      readonly sharing: "shared" | "private" | "locked";
      /** What a new cache starts with; scratch when absent. */
      readonly from?: From;
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      /** Set when the mount says anything about it; a cache of another owner or mode is another cache. */
      readonly folder?: { readonly uid: number; readonly gid: number; readonly mode: number };
    }
  | { readonly kind: "tmpfs"; readonly target: string; readonly sizeBytes?: number }
  | {
      readonly kind: "secret";
      readonly secretId: string;
      readonly target?: string;
      readonly env?: string;
      readonly required: boolean;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  | {
      readonly kind: "ssh";
      readonly sshId: string;
      readonly target?: string;
      readonly required: boolean;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  /** The script of a RUN heredoc that begins with `#!`. */
  | { readonly kind: "script"; readonly name: string; readonly content: Uint8Array; readonly folder: string };

/** RUN. */
export interface ExecVertex extends VertexBase {
  readonly kind: "exec";
  readonly input: StateVertex;
  readonly argv: readonly string[];
  /** `NAME=value`, image environment and build arguments; proxies are not among them. */
  readonly env: readonly string[];
  /** Proxy variables: given to the command, but no part of the cache key. */
  readonly proxyEnv: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly mounts: readonly ExecMount[];
  readonly network: "default" | "host" | "none";
  readonly insecure: boolean;
  readonly ignoreCache: boolean;
  readonly platform: Platform;
  readonly shmSizeBytes: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly extraHosts: readonly { readonly name: string; readonly address: string }[];
  /** The machine's name that the command sees, where the build says which. */
  readonly hostname?: string;
}

/** A vertex whose result is a file system state. */
export type StateVertex = ScratchVertex | ImageVertex | CopyVertex | WorkdirVertex | ExecVertex;

export type Vertex = StateVertex | ContextVertex;

/** The vertices that a vertex reads, each once. */
export function inputsOf(vertex: Vertex): readonly Vertex[] {
  const inputs = new Map<string, Vertex>();
  const add = (input: Vertex): void => void inputs.set(input.id, input);
  switch (vertex.kind) {
    case "scratch":
    case "image":
    case "context":
      break;
    case "workdir":
      add(vertex.input);
      break;
    case "copy":
      add(vertex.input);
      for (const source of vertex.sources) if (source.kind === "tree") add(source.from);
      break;
    case "exec":
      add(vertex.input);
      for (const mount of vertex.mounts)
        if ((mount.kind === "bind" || mount.kind === "cache") && mount.from !== undefined) add(mount.from);
      break;
    default:
      return vertex satisfies never;
  }
  return [...inputs.values()];
}
