/** How a build ended. `interrupted`: its process is gone without having said so. */
export type BuildStatus = "running" | "done" | "failed" | "canceled" | "interrupted";

/** What a build was asked for, as shown to a person; holds no secret. */
export interface BuildSubject {
  /** The Dockerfile as messages name it. */
  readonly dockerfile: string;
  readonly context: string;
  readonly target?: string;
  readonly names: readonly string[];
}

/** One build, as `builds/ID/build.json` tells it. */
export interface BuildRecord extends BuildSubject {
  /** Eight hex digits. */
  readonly id: string;
  readonly status: BuildStatus;
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly imageId?: string;
  /** The message of the error that ended it. */
  readonly error?: string;
}

/** One step of a build, numbered as the progress views number it. */
export interface StepRecord {
  /** 1 for the first step that started. */
  readonly number: number;
  readonly name: string;
  /** `interrupted`: the build's process ended while the step ran. */
  readonly outcome: "running" | "done" | "cached" | "failed" | "canceled" | "interrupted";
  readonly note?: string;
  /** Since the start of the build. */
  readonly startedMs: number;
  readonly durationMs?: number;
  /** What it wrote, in all. */
  readonly outputBytes: number;
  /** What of that was more than a log may hold, and is not in it. */
  readonly droppedBytes: number;
}

/** The process that a build belongs to: its number, and the tick of the kernel at which it started. */
export interface BuildProcess {
  readonly pid: number;
  readonly startTicks: string;
}

export interface StoredBuild extends BuildRecord {
  readonly version: 1;
  readonly process: BuildProcess;
}

/** A line of `steps.jsonl`. */
export type StepLine =
  | { readonly event: "started"; readonly number: number; readonly name: string; readonly atMs: number }
  | {
      readonly event: "finished";
      readonly number: number;
      readonly outcome: "done" | "cached" | "failed" | "canceled";
      readonly note?: string;
      readonly atMs: number;
      readonly outputBytes: number;
      readonly droppedBytes: number;
    };

/** A build's document; undefined for what is none, or of a version that we don't know. */
export function decodeBuild(text: string): StoredBuild | undefined {
  const build = parseObject(text) as Partial<StoredBuild> | undefined;
  if (build?.version !== 1 || typeof build.id !== "string" || typeof build.startedAt !== "string")
    return undefined;
  const isWhole =
    typeof build.status === "string" &&
    typeof build.dockerfile === "string" &&
    typeof build.context === "string" &&
    Array.isArray(build.names) &&
    typeof build.process?.pid === "number";
  return isWhole ? (build as StoredBuild) : undefined;
}

/** The steps that lines tell of, in their order. A line that a dying process cut is passed over. */
export function decodeSteps(text: string): readonly StepRecord[] {
  const steps = new Map<number, StepRecord>();
  for (const part of text.split("\n")) {
    const line = parseObject(part) as Partial<StepLine> | undefined;
    if (typeof line?.number !== "number") continue;
    if (line.event === "started") {
      const { number, name = "", atMs = 0 } = line;
      const nothing = { outputBytes: 0, droppedBytes: 0 };
      steps.set(number, { number, name, outcome: "running", startedMs: atMs, ...nothing });
    } else if (line.event === "finished") {
      const step = steps.get(line.number);
      if (step === undefined) continue;
      const { outcome = "done", note, atMs = 0, outputBytes = 0, droppedBytes = 0 } = line;
      steps.set(line.number, {
        ...step,
        outcome,
        ...(note === undefined ? {} : { note }),
        durationMs: atMs - step.startedMs,
        outputBytes,
        droppedBytes,
      });
    }
  }
  return [...steps.values()];
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // cut, or empty
  }
}
