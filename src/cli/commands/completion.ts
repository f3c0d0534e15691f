import { defineCommand } from "../command.ts";
import { usageError } from "../error.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export const completion = defineCommand({
  operands: SHELLS.join(" | "),
  count: { min: 1, max: 1 },
  options: {},
  examples: [
    { command: "strake completion bash > /etc/bash_completion.d/strake", summary: "bash" },
    { command: 'strake completion zsh > "$HOME/.zfunc/_strake"', summary: "zsh, with that folder in $fpath" },
    { command: "strake completion fish > ~/.config/fish/completions/strake.fish", summary: "fish" },
  ],
  async run({ positionals: [shell = ""] }, { stdout, commands }) {
    if (!SHELLS.some((known) => known === shell)) {
      throw usageError(`Unknown shell "${shell}"`, `Shells are ${SHELLS.join(", ")}`);
    }
    const { completionScript } = await import("../completion/scripts.ts");
    stdout.write(await completionScript(shell as (typeof SHELLS)[number], commands));
    return undefined;
  },
});
