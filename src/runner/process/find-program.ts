import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/**
 * The first executable file of that name in a PATH-like list of folders, as an absolute path. BusyBox's versions
 * of util-linux programs lack the options that we need, so they are passed over.
 */
export function findProgram(name: string, searchPath: string): string | undefined {
  for (const folder of searchPath.split(":")) {
    if (!folder.startsWith("/")) continue;
    const path = join(folder, name);
    if (isExecutableFile(path) && basename(realpathSync(path)) !== "busybox") return path;
  }
  return undefined;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there, or in a folder that is closed to us: a later folder may have it
  }
}
