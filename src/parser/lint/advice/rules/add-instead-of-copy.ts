import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingAt } from "../finding.ts";

export const addInsteadOfCopy = adviceRule("AddInsteadOfCopy", {
  level: "info",
  description: "ADD also downloads and unpacks, which a reader has to rule out; COPY only copies",
  fix: "Write COPY",
  check: findAdds,
});

const ARCHIVE = /\.(?:tar|tgz|tbz2?|txz|tzst|taz|tb2|tlz)$|\.(?:gz|bz2|xz|zst|lzma|Z)$/i;

function* findAdds({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.flatMap(({ commands }) => commands)) {
    const { instruction } = command;
    if (instruction.kind !== "ADD") continue;
    const { sources, unpack, checksum, keepGitDir, node } = instruction;
    if (sources.length === 0 || unpack !== undefined || checksum !== undefined || keepGitDir !== undefined)
      continue;
    // What a variable or a pattern stands for may be an archive.
    if (!sources.every((source) => isPlain(source))) continue;
    yield findingAt(command, "ADD does no more than COPY here", node.tokens[0]?.range);
  }
}

function isPlain(source: string): boolean {
  if (/[$]|^[a-z][a-z0-9+.-]*:\/\/|^git@/i.test(source)) return false;
  const name = source.slice(source.lastIndexOf("/") + 1);
  if (ARCHIVE.test(name)) return false;
  // "*.py" is no archive; "*" and "dist-*" may be one.
  return !/[*?[]/.test(name) || /\.[A-Za-z0-9]+$/.test(name);
}
