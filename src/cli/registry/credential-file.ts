import { join, resolve } from "node:path";
import type { CommandContext } from "../command.ts";

/**
 * The file that a log-in changes: the one named, else `$REGISTRY_AUTH_FILE`, else Docker's, which the containers tools
 * read too.
 */
export function credentialFile(
  named: string | undefined,
  { settings, cwd }: Pick<CommandContext, "settings" | "cwd">,
): string {
  const { REGISTRY_AUTH_FILE, DOCKER_CONFIG } = settings.variables;
  const file = named || REGISTRY_AUTH_FILE;
  if (file !== undefined && file !== "") return resolve(cwd, file);
  return join(DOCKER_CONFIG || join(settings.home, ".docker"), "config.json");
}
