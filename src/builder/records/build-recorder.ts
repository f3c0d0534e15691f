import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { encodeFailedStep, type FailedStep } from "../debug/failed-step.ts";
import type { ProgressEvent } from "../events.ts";
import type { BuildStatus, BuildSubject, StepLine, StoredBuild } from "./build-record.ts";
import { ownProcess } from "./own-process.ts";
import { RecordPaths, recordsFolder } from "./record-paths.ts";
import { StepLog } from "./step-log.ts";

export interface RecorderOptions {
  readonly storeRoot: string;
  readonly subject: BuildSubject;
  /** Wall clock in milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds of the clock that events' times are of. */
  readonly monotonic: () => number;
  /** Told once when the record can't be kept (a full disk): the build goes on without. */
  readonly onFailure: (error: unknown) => void;
}

export interface BuildEnd {
  readonly status: Exclude<BuildStatus, "running" | "interrupted">;
  readonly imageId?: string;
  readonly error?: string;
}

interface OpenStep {
  readonly number: number;
  log: StepLog | undefined;
}

/**
 * Writes down what a build does while it does it: `builds/ID/` gets the build, its steps and all that they print. A build
 * that is killed leaves what it had come to. Nothing is synced: these are notes, not results.
 */
export class BuildRecorder {
  readonly id: string;
  readonly paths: RecordPaths;
  readonly #options: RecorderOptions;
  readonly #startedMs: number;
  readonly #steps = new Map<string, OpenStep>();
  #build: StoredBuild;
  #stepsFd: number | undefined;
  #logBytes = 0;
  #hasFailedStep = false;
  #isBroken = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#startedMs = options.monotonic();
    this.id = randomBytes(4).toString("hex");
    this.paths = new RecordPaths(options.storeRoot, this.id);
    this.#build = {
      version: 1,
      id: this.id,
      status: "running",
      startedAt: new Date(options.now()).toISOString(),
      ...options.subject,
      process: ownProcess(),
    };
    this.#try(() => {
      mkdirSync(recordsFolder(options.storeRoot), { recursive: true, mode: 0o700 });
      mkdirSync(this.paths.folder, 0o700);
      this.#writeBuild();
      this.#stepsFd = openSync(this.paths.steps, "a", 0o600);
    });
  }

  readonly onEvent = (event: ProgressEvent): void => {
    if (!this.#isBroken) this.#try(() => this.#take(event));
  };

  /** What all steps have written so far. */
  get logBytes(): number {
    return this.#logBytes;
  }

  /**
   * Keeps what it takes to enter the step that failed.
   * @param upper folder of what it had changed, on the store's file system; it is moved here
   */
  readonly keepFailedStep = async (step: FailedStep, upper: string | undefined): Promise<void> => {
    if (this.#isBroken) return;
    await mkdir(this.paths.failed, 0o700);
    if (upper !== undefined) await rename(upper, this.paths.failedFiles);
    await writeFile(this.paths.failedStep, encodeFailedStep(step), { mode: 0o600 });
    this.#hasFailedStep = true;
  };

  /** Whether a failed step was kept. */
  get hasFailedStep(): boolean {
    return this.#hasFailedStep;
  }

  /** Writes down how the build ended. Later events are ignored. */
  end(end: BuildEnd): void {
    this.#try(() => {
      for (const { log } of this.#steps.values()) log?.close();
      if (this.#stepsFd !== undefined) closeSync(this.#stepsFd);
      this.#build = { ...this.#build, ...end, finishedAt: new Date(this.#options.now()).toISOString() };
      this.#writeBuild();
    });
    this.#isBroken = true;
  }

  #take(event: ProgressEvent): void {
    if (event.kind === "step-started") {
      if (this.#steps.has(event.vertex)) return;
      const number = this.#steps.size + 1;
      this.#steps.set(event.vertex, { number, log: undefined });
      this.#note({ event: "started", number, name: event.name, atMs: this.#since(event.atMs) });
      return;
    }
    const step = event.kind === "warning" ? undefined : this.#steps.get(event.vertex);
    if (step === undefined) return;
    if (event.kind === "step-output") {
      step.log ??= new StepLog(this.paths.log(step.number));
      step.log.write(event.chunk);
      this.#logBytes += event.chunk.length;
    } else if (event.kind === "step-finished") {
      const { outcome, note } = event;
      const { log, number } = step;
      this.#note({
        event: "finished",
        number,
        outcome,
        ...(note === undefined ? {} : { note }),
        atMs: this.#since(event.atMs),
        outputBytes: log?.bytes ?? 0,
        droppedBytes: log?.droppedBytes ?? 0,
      });
      log?.close();
      step.log = undefined;
    }
  }

  #since(atMs: number): number {
    return Math.round(atMs - this.#startedMs);
  }

  #note(line: StepLine): void {
    if (this.#stepsFd !== undefined) writeSync(this.#stepsFd, `${JSON.stringify(line)}\n`);
  }

  /** A reader sees the old document or the new one. */
  #writeBuild(): void {
    writeFileSync(`${this.paths.build}.new`, `${JSON.stringify(this.#build)}\n`, { mode: 0o600 });
    renameSync(`${this.paths.build}.new`, this.paths.build);
  }

  #try(work: () => void): void {
    if (this.#isBroken) return;
    try {
      work();
    } catch (error) {
      this.#isBroken = true;
      this.#options.onFailure(error);
    }
  }
}
