import { RunnerError } from "../error.ts";
import { findProgram } from "./find-program.ts";

/** Absolute paths of what a container is started with. */
export interface RuntimePrograms {
  readonly runc: string;
  readonly unshare: string;
  readonly setpriv: string;
  readonly mount: string;
}

/** Where each comes from, for the hint. */
const PACKAGES: Readonly<Record<keyof RuntimePrograms, string>> = {
  runc: "runc",
  unshare: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
};

/** @throws {RunnerError} RUNTIME_MISSING */
export function findRuntimePrograms(searchPath: string): RuntimePrograms {
  const find = (name: keyof RuntimePrograms): string => {
    const path = findProgram(name, searchPath);
    if (path !== undefined) return path;
    throw new RunnerError("RUNTIME_MISSING", `Cannot run a command: no "${name}" in PATH`, {
      hint: `Install it: apt-get install ${PACKAGES[name]}`,
    });
  };
  return { runc: find("runc"), unshare: find("unshare"), setpriv: find("setpriv"), mount: find("mount") };
}
