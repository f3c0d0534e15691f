import { mkdtemp, readdir, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../../store/index.ts";
import type { BuildRecord } from "./build-record.ts";
import { listBuilds } from "./read-records.ts";
import { RecordPaths, recordsFolder } from "./record-paths.ts";

/** What is remembered of builds. */
export interface RecordLimits {
  readonly maxBuilds: number;
  /** Of all logs together. */
  readonly maxLogBytes: number;
  /** Builds whose failed step can be entered: its files may be large. */
  readonly maxFailedSteps: number;
  readonly maxFailedAgeMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

const DEFAULT_LIMITS: RecordLimits = {
  maxBuilds: 100,
  maxLogBytes: 1 << 30,
  maxFailedSteps: 3,
  maxFailedAgeMs: 7 * DAY_MS,
};

/** A build that runs for longer than this is not one that runs. */
const MAX_RUNNING_MS = 7 * DAY_MS;
/** How many builds more than allowed are let come together, so that not every build has to read all of them. */
const SLACK = 20;
/** A build with logs of this size has them counted at once. */
const LARGE_LOG_BYTES = 64 << 20;

export interface PruneOptions {
  readonly store: { readonly root: string; readonly tmpDir: string };
  /** Wall clock in milliseconds since the epoch. */
  readonly now: number;
  /** The build that has just ended: it counts, but stays. */
  readonly keep: string;
  readonly limits?: RecordLimits;
}

/** Whether `pruneRecords` may have something to do; costs next to nothing. */
export async function isPruningDue(
  storeRoot: string,
  {
    now,
    isFailed,
    logBytes,
  }: { readonly now: number; readonly isFailed: boolean; readonly logBytes: number },
): Promise<boolean> {
  if (isFailed || logBytes > LARGE_LOG_BYTES) return true;
  const folder = recordsFolder(storeRoot);
  const [names, last] = await Promise.all([readdir(folder), stat(stampPath(folder)).catch(() => undefined)]);
  return names.length > DEFAULT_LIMITS.maxBuilds + SLACK || now - (last?.mtimeMs ?? 0) > DAY_MS;
}

/**
 * Forgets the oldest builds and failed steps beyond the limits, never one that is under way. Several processes may do
 * this at once.
 */
export async function pruneRecords(options: PruneOptions): Promise<void> {
  const { store, now } = options;
  for (const path of await findDoomed(options)) {
    // Out of sight first, so that nobody reads a half of it; if we die meanwhile the next start removes it.
    const aside = await mkdtemp(join(store.tmpDir, "record-"));
    const isOurs = await rename(path, join(aside, "record")).then(
      () => true,
      () => false, // another process was faster
    );
    if (isOurs) await removeTree(aside);
  }
  const stamp = stampPath(recordsFolder(store.root));
  await writeFile(stamp, "");
  await utimes(stamp, now / 1000, now / 1000);
}

async function findDoomed({
  store,
  now,
  keep,
  limits = DEFAULT_LIMITS,
}: PruneOptions): Promise<readonly string[]> {
  const ageOf = ({ startedAt }: BuildRecord): number => now - Date.parse(startedAt);
  const builds = listBuilds(store.root);
  const doomed = [...(await findDamaged(store.root, builds, now))];
  let [count, failedSteps, logBytes] = [0, 0, 0];
  for (const build of builds) {
    const paths = new RecordPaths(store.root, build.id);
    const isSafe = build.id === keep || (build.status === "running" && ageOf(build) < MAX_RUNNING_MS);
    count++;
    logBytes += await logSize(paths.folder);
    if (!isSafe && (count > limits.maxBuilds || logBytes > limits.maxLogBytes)) {
      doomed.push(paths.folder);
      continue;
    }
    if ((await stat(paths.failed).catch(() => undefined)) === undefined) continue;
    failedSteps++;
    const isOver = ageOf(build) > limits.maxFailedAgeMs || failedSteps > limits.maxFailedSteps;
    if (isOver && !isSafe) doomed.push(paths.failed);
  }
  return doomed;
}

/** Folders without a document that can be read: of a process that died in its first millisecond, or a loss of power. */
async function findDamaged(
  storeRoot: string,
  builds: readonly BuildRecord[],
  now: number,
): Promise<readonly string[]> {
  const known = new Set(builds.map(({ id }) => id));
  const damaged: string[] = [];
  for (const name of await readdir(recordsFolder(storeRoot))) {
    if (known.has(name) || name.startsWith(".")) continue;
    const folder = join(recordsFolder(storeRoot), name);
    const changedMs = (await stat(folder).catch(() => undefined))?.mtimeMs ?? now;
    if (now - changedMs > DAY_MS) damaged.push(folder);
  }
  return damaged;
}

async function logSize(folder: string): Promise<number> {
  let size = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.endsWith(".log")) size += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
  }
  return size;
}

/** Its time is when records were last looked through. */
function stampPath(folder: string): string {
  return join(folder, ".pruned");
}
