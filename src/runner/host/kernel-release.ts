/** A kernel's major and minor number, as `[6, 1]`. */
export type KernelVersion = readonly [major: number, minor: number];

/** Whether a release as uname(2) has it (`6.1.0-18-amd64`) is of that version or an older one. False for what has no numbers. */
export function isKernelUpTo(release: string, [lastMajor, lastMinor]: KernelVersion): boolean {
  const [major = Number.NaN, minor = Number.NaN] = release
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  return major < lastMajor || (major === lastMajor && minor <= lastMinor);
}
