/** Column 1 of /proc/PID/limits to the names that `--ulimit` and config.json use. */
const NAMES: Readonly<Record<string, string>> = {
  "Max address space": "as",
  "Max core file size": "core",
  "Max cpu time": "cpu",
  "Max data size": "data",
  "Max file locks": "locks",
  "Max file size": "fsize",
  "Max locked memory": "memlock",
  "Max msgqueue size": "msgqueue",
  "Max nice priority": "nice",
  "Max open files": "nofile",
  "Max pending signals": "sigpending",
  "Max processes": "nproc",
  "Max realtime priority": "rtprio",
  "Max realtime timeout": "rttime",
  "Max resident set": "rss",
  "Max stack size": "stack",
};

/** Hard limits by `--ulimit` name from the text of /proc/self/limits; Infinity for unlimited. */
export function parseHardLimits(text: string): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const line of text.split("\n")) {
    const name = NAMES[line.slice(0, 26).trimEnd()];
    const hard = line.slice(26).trim().split(/\s+/)[1];
    if (name === undefined || hard === undefined) continue;
    limits.set(name, hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard));
  }
  return limits;
}
