import type { CommandContext } from "./command.ts";

/**
 * Runs this command line once more, as root of a user namespace, and returns its exit code. Signals are passed on.
 * @throws {RunnerError} USER_NAMESPACE_UNAVAILABLE
 */
export async function runInNamespace({
  restart,
  settings,
}: Pick<CommandContext, "restart" | "settings">): Promise<number> {
  const { enterUserNamespace, readUserNamespaceFacts } = await import("../runner/index.ts");
  return enterUserNamespace({
    facts: readUserNamespaceFacts(settings.searchPath),
    execPath: restart.execPath,
    argv: restart.argv,
    env: settings.variables,
  });
}
