import type { CommandContext } from "./command.ts";

/**
 * Runs this command line once more, as root of a user namespace, and returns its exit code. Signals are passed on.
 * @throws {RunnerError} USER_NAMESPACE_UNAVAILABLE
 */
export async function runInNamespace({
  restart,
  settings,
  stderr,
}: Pick<CommandContext, "restart" | "settings" | "stderr">): Promise<number> {
  const [{ enterUserNamespace, readUserNamespaceFacts }, { SHOW_CURSOR }] = await Promise.all([
    import("../runner/index.ts"),
    import("./progress/screen.ts"),
  ]);
  // Ctrl-Z stops the one inside without asking it, so that the cursor which it has hidden is ours to show.
  if (stderr.isTTY) process.prependListener("SIGTSTP", () => stderr.write(SHOW_CURSOR));
  return enterUserNamespace({
    facts: readUserNamespaceFacts(settings.searchPath),
    execPath: restart.execPath,
    argv: restart.argv,
    env: settings.variables,
  });
}
