import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingOf } from "../finding.ts";

export const sudoUsed = adviceRule("SudoUsed", {
  level: "warning",
  description:
    "RUN is root's unless USER says otherwise; where it does, sudo means that the image's user may do everything",
  fix: "Write USER root above what root must do, and USER back to the other below",
  check: findSudo,
});

function* findSudo({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.flatMap(({ commands }) => commands)) {
    const used = command.invocations.find(({ through }) => through.includes("sudo"));
    if (used === undefined) continue;
    const isRoot = /^(?:root|0)(?::|$)/.test(command.user ?? "");
    const message = isRoot
      ? "This runs as root already, without sudo"
      : "sudo in an image: USER switches users";
    yield findingOf(command, used, message);
  }
}
