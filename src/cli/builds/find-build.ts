import { type BuildRecord, findBuilds, listBuilds } from "../../builder/records/index.ts";
import type { CommandContext } from "../command.ts";
import { CliError } from "../error.ts";

/**
 * The build that a person means: its ID or the beginning of it, `^N` for the Nth before the last; the last when nothing is
 * said.
 * @throws {CliError} BUILD_NOT_FOUND
 */
export function findBuild(
  name: string | undefined,
  { settings: { storeRoot } }: Pick<CommandContext, "settings">,
): BuildRecord {
  const builds = listBuilds(storeRoot);
  const found = findBuilds(builds, name ?? "^0");
  const [build] = found;
  if (build !== undefined && found.length === 1) return build;
  if (build !== undefined) {
    throw new CliError("BUILD_NOT_FOUND", `Cannot tell which build "${name}" is: ${found.length} begin so`, {
      hint: "Give more of its digits",
    });
  }
  const attempt = name === undefined ? "Cannot find a build" : `Cannot find build "${name}"`;
  if (builds.length === 0) {
    throw new CliError("BUILD_NOT_FOUND", `${attempt}: the store "${storeRoot}" remembers none`, {
      hint: "A build leaves its log in the store that it uses; STRAKE_ROOT names another store",
    });
  }
  throw new CliError("BUILD_NOT_FOUND", `${attempt}: it is none of those that are remembered`, {
    hint: "strake logs --list lists them",
  });
}
