import { readdirSync, readFileSync } from "node:fs";
import { type BuildRecord, decodeBuild, decodeSteps, type StepRecord } from "./build-record.ts";
import { isAlive } from "./own-process.ts";
import { RecordPaths, recordsFolder } from "./record-paths.ts";

/** The builds that a store remembers, the newest first. What can't be read is left out. */
export function listBuilds(storeRoot: string): readonly BuildRecord[] {
  const builds = listFolder(recordsFolder(storeRoot)).flatMap((id) => readBuild(storeRoot, id) ?? []);
  return builds.sort((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0));
}

/** One build; undefined when there is none of that ID, or its document is damaged. */
function readBuild(storeRoot: string, id: string): BuildRecord | undefined {
  const stored = decodeBuild(readText(new RecordPaths(storeRoot, id).build));
  if (stored === undefined || stored.id !== id) return undefined;
  const { version: _, process, ...build } = stored;
  return build.status === "running" && !isAlive(process) ? { ...build, status: "interrupted" } : build;
}

/** The steps of a build, in the order in which they started. */
export function readSteps(storeRoot: string, { id, status }: BuildRecord): readonly StepRecord[] {
  const steps = decodeSteps(readText(new RecordPaths(storeRoot, id).steps));
  if (status === "running") return steps;
  return steps.map((step) => (step.outcome === "running" ? { ...step, outcome: "interrupted" } : step));
}

/** What a person may write for a build: its ID or the beginning of it, or `^N` for the Nth before the last. */
export function findBuilds(builds: readonly BuildRecord[], name: string): readonly BuildRecord[] {
  const back = /^\^(\d{1,4})$/.exec(name);
  if (back !== null) return builds.slice(Number(back[1]), Number(back[1]) + 1);
  return builds.filter(({ id }) => id.startsWith(name));
}

function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // no build was ever made here
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // being removed, or not written yet
  }
}
