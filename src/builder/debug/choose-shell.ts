import { basename } from "node:path";
import type { MergedTree } from "../../store/layers/index.ts";
import { BuildError } from "../error.ts";
import { resolveInTree } from "../files/index.ts";
import type { FailedStep } from "./failed-step.ts";

const SHELL_NAME = /^(?:a|ba|da|fi|k|mk|z)?sh$/;
const DEFAULT_SHELL = "/bin/sh";

/**
 * The shell to open in a failed step: the one that ran the step, else /bin/sh.
 * @throws {BuildError} CANNOT_ENTER when the image has none
 */
export function chooseShell({ run, name }: FailedStep, tree: MergedTree): string {
  const [program = ""] = run?.argv ?? [];
  const candidates = program.startsWith("/") && SHELL_NAME.test(basename(program)) ? [program] : [];
  const shell = [...candidates, DEFAULT_SHELL].find((path) => isFile(tree, path));
  if (shell !== undefined) return shell;
  throw new BuildError(
    "CANNOT_ENTER",
    `Cannot open a shell in "${name}": its image has no ${DEFAULT_SHELL}`,
    {
      hint: "Name another with --shell PATH, lend it one of this machine with --host-shell /bin/busybox (a static program), or run one of its programs: strake debug -- PROGRAM",
    },
  );
}

function isFile(tree: MergedTree, path: string): boolean {
  return tree.lstat(resolveInTree(tree, path, { followLast: true }))?.kind === "file";
}
