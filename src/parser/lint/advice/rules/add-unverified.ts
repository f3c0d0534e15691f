import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingAt } from "../finding.ts";

export const addUnverified = adviceRule("AddUnverified", {
  level: "warning",
  description: "A download without a checksum is whatever the server has that day",
  fix: "Add --checksum=sha256:…, which also lets the cache answer without asking the server",
  check: findDownloads,
});

function* findDownloads({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.flatMap(({ commands }) => commands)) {
    const { instruction } = command;
    if (instruction.kind !== "ADD" || instruction.checksum !== undefined) continue;
    for (const source of instruction.sources) {
      // A repository is pinned by its commit, and has no checksum.
      if (!/^https?:\/\//i.test(source) || /\.git(?:[#?]|$)/.test(source)) continue;
      const token = instruction.node.tokens.find(({ value }) => value === source);
      yield findingAt(command, "Nothing says what this download must be", token?.range);
    }
  }
}
