import { readFileSync } from "node:fs";

/** What the store wants to know of the machine that it runs on; a parameter, so that a restart can be tried out. */
export interface Machine {
  /** Identifies this run of the kernel: what was written in it is readable, synced or not. */
  readonly bootId: string;
  /** Bytes that wait to be written to disks, by whomever, in KiB. */
  readDirtyKib(): number;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** This machine, by /proc. Without it no restart is ever noticed. */
export function thisMachine(): Machine {
  return {
    bootId: readText("/proc/sys/kernel/random/boot_id").trim(),
    readDirtyKib: () => Number(/^Dirty:\s+(\d+) kB$/m.exec(readText("/proc/meminfo"))?.[1] ?? 0),
    now: () => Date.now(),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
