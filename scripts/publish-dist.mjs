// How a build gets into dist/: it is made in a folder beside and moved in by renames, so that whoever runs dist/ meanwhile
// finds every file whole. What the build before wrote stays for one build more, since a program that runs may yet load
// its chunks; dist/.npmignore, which lists what belongs to the last build, keeps it out of packages.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const LIST = ".npmignore";
const STAGING = ".new-";
/** A build that has not ended by then was killed. */
const ABANDONED_AFTER_MS = 60 * 60_000;

/** Makes a folder of dist/ for a build's files. */
export async function createStaging(dist) {
  await mkdir(dist, { recursive: true });
  return mkdtemp(join(dist, STAGING));
}

/** Moves files (paths below both folders) into dist/, in order: first what others load. */
export async function moveIn(staging, dist, files) {
  for (const file of files) {
    await mkdir(dirname(join(dist, file)), { recursive: true });
    await rename(join(staging, file), join(dist, file));
  }
}

/** Notes which files are the build's, and removes those that neither it nor the build before wrote. */
export async function finish(dist, written) {
  const before = await readList(dist);
  const list = join(dist, LIST);
  const lines = ["*", "!*/", ...[...written].sort().map((file) => `!/${file}`)];
  await writeFile(`${list}.${process.pid}`, `${lines.join("\n")}\n`);
  await rename(`${list}.${process.pid}`, list);
  const kept = new Set([...written, ...before, LIST]);
  for (const file of await listFiles(dist)) {
    if (kept.has(file)) continue;
    await rm(join(dist, file), { force: true });
    await rmdir(join(dist, dirname(file))).catch(() => {}); // only where it is empty now
  }
  await removeAbandoned(dist);
}

/** All files below a folder but those of builds under way, as paths relative to it. */
export async function listFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((file) => !file.startsWith(STAGING));
}

async function readList(dist) {
  const text = await readFile(join(dist, LIST), "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => (line.startsWith("!/") ? [line.slice(2)] : []));
}

async function removeAbandoned(dist) {
  for (const name of await readdir(dist)) {
    if (!name.startsWith(STAGING)) continue;
    const { mtimeMs } = await stat(join(dist, name));
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS)
      await rm(join(dist, name), { recursive: true, force: true });
  }
}
