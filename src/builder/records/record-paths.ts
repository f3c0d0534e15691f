import { join } from "node:path";

/** Where the records of builds are in a store. */
export function recordsFolder(storeRoot: string): string {
  return join(storeRoot, "builds");
}

/** What one build's folder holds. Pure: nothing is looked at or made. */
export class RecordPaths {
  readonly folder: string;

  constructor(storeRoot: string, id: string) {
    this.folder = join(recordsFolder(storeRoot), id);
  }

  get build(): string {
    return join(this.folder, "build.json");
  }
  get steps(): string {
    return join(this.folder, "steps.jsonl");
  }
  log(step: number): string {
    return join(this.folder, `${step}.log`);
  }
  /** What it takes to enter the step that failed. */
  get failed(): string {
    return join(this.folder, "failed");
  }
  get failedStep(): string {
    return join(this.failed, "step.json");
  }
  /** What the step had changed: an overlay's upper folder. Absent for a step without a process. */
  get failedFiles(): string {
    return join(this.failed, "files");
  }
}
