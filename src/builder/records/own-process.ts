import { readFileSync } from "node:fs";
import type { BuildProcess } from "./build-record.ts";

/** This process, told from all others that had or will have its number. */
export function ownProcess(): BuildProcess {
  return { pid: process.pid, startTicks: readStartTicks(process.pid) ?? "" };
}

/** Whether that process lives. One in another container can't be seen, and counts as gone. */
export function isAlive({ pid, startTicks }: BuildProcess): boolean {
  return readStartTicks(pid) === startTicks;
}

/** Field 22 of /proc/PID/stat; the second field, a name in brackets, may hold anything. */
function readStartTicks(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined; // no such process
  }
}
