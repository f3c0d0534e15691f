import type { Digest } from "../../oci/index.ts";
import type { ExecMount, ExecVertex } from "../graph/vertex.ts";

/** Files of other stages or a context, as the layers that they lie in, lowest first. */
export interface MountedLayers {
  /** Of the vertex that they came from: a cache that starts with them is known by it. */
  readonly id: string;
  readonly layers: readonly Digest[];
}

/** How steps find things: of a step without a process, as they were for the one before it. */
export interface Surroundings {
  /** `NAME=value`; without proxies, whose values may hold passwords. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** As USER names it; "" is root. */
  readonly user: string;
}

/**
 * All that it takes to look at what a step failed on, without doing anything again. Plain values: it is kept as JSON.
 * There is no secret in it; its mounts name theirs only.
 */
export interface FailedStep extends Surroundings {
  /** As shown to a person: `[build 2/5] RUN npm ci`. */
  readonly name: string;
  /** Where the Dockerfile has it. */
  readonly place?: { readonly file: string; readonly line: number };
  /** What it was done on, lowest first. */
  readonly layers: readonly Digest[];
  /** What a RUN runs as; absent for other steps. */
  readonly run?: Pick<
    ExecVertex,
    "argv" | "network" | "insecure" | "shmSizeBytes" | "ulimits" | "extraHosts"
  > & { readonly mounts: readonly ExecMount<MountedLayers>[] };
}

/** The JSON of a failed step. Scripts of heredocs are text. */
export function encodeFailedStep(step: FailedStep): string {
  const replace = (key: string, value: unknown): unknown =>
    key === "content" && value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : value;
  return JSON.stringify({ version: 1, ...step }, replace);
}

/** Reads what `encodeFailedStep` wrote; undefined for anything else, and for a version that we don't know. */
export function decodeFailedStep(text: string): FailedStep | undefined {
  try {
    const revive = (key: string, value: unknown): unknown =>
      key === "content" && typeof value === "string" ? Buffer.from(value, "utf8") : value;
    const step = JSON.parse(text, revive) as Partial<FailedStep> & { readonly version?: unknown };
    const isWhole =
      step.version === 1 &&
      typeof step.name === "string" &&
      Array.isArray(step.layers) &&
      Array.isArray(step.env) &&
      (step.run === undefined || Array.isArray(step.run.mounts));
    return isWhole ? (step as FailedStep) : undefined;
  } catch {
    return undefined;
  }
}
