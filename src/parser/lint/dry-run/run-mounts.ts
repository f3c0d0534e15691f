import { cleanPath } from "../../ignore/clean-path.ts";
import type { RunInstruction } from "../../instructions/run.ts";
import { parseRunMounts, type RunMount } from "../../instructions/run-mount.ts";
import { located } from "./plan-error.ts";
import type { CommandRun } from "./stage-run.ts";
import type { PlannedStage } from "./stages.ts";

/** @throws {DockerfileError} */
export function runMounts(instruction: RunInstruction, run: CommandRun): void {
  const mounts = located(run.range, () => parseRunMounts(instruction.mounts, (word) => run.expand(word)));
  for (const [index, mount] of mounts.entries()) checkMount(mount, run.sources[index], run);
}

function checkMount(mount: RunMount, source: PlannedStage | undefined, run: CommandRun): void {
  const { type, from, target = "" } = mount;
  if ((from !== undefined || type === "cache") && source?.isReady === false) {
    throw run.fail(
      "NO_STAGE",
      `cannot mount from stage "${from ?? ""}" to "${target}", stage needs to be defined before current command`,
      "Move that stage up",
    );
  }
  if (type === "secret") return;
  if (type === "ssh") {
    if (mount.source !== undefined) throw run.fail("BAD_MOUNT", "ssh does not support source");
    return;
  }
  const path = target.startsWith("/") ? target : cleanPath(`/${run.state.workdir}/${target}`);
  if (path === "/")
    throw run.fail("BAD_MOUNT", `invalid mount target "/"`, "Say where it is to be mounted: target=/path");
}
