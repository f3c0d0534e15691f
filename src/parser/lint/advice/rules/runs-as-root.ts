import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView, StageView } from "../file-view.ts";

export const runsAsRoot = adviceRule("RunsAsRoot", {
  level: "info",
  description:
    "What breaks out of a program that runs as root has more of the machine at hand than a user's program has",
  fix: "End with USER and an ordinary user, by number if Kubernetes is to check it",
  check: findRoot,
});

function* findRoot({ stages }: FileView): Generator<AdviceFinding> {
  const last = stages.at(-1);
  if (last === undefined) return;
  const chain: StageView[] = [];
  for (let at: StageView | undefined = last; at !== undefined; at = at.base) chain.unshift(at);
  const instructions = chain.flatMap(({ commands }) => commands.map(({ instruction }) => instruction));
  // An image without a program of its own is one to build on.
  const program = instructions.findLast(
    (each) => (each.kind === "CMD" || each.kind === "ENTRYPOINT") && each.argv.length > 0,
  );
  if (program === undefined) return;
  const user = instructions.findLast((each) => each.kind === "USER");
  if (user !== undefined) {
    const name = user.kind === "USER" ? user.user : "";
    if (!/^(?:root|0)(?::|$)/.test(name)) return;
    yield { message: "The image's program runs as root", range: user.node.range, comments: user.comments };
    return;
  }
  // What the base image sets isn't known; the names of some tell.
  const baseName = chain[0]?.baseName;
  if (baseName === undefined || /nonroot|rootless|unprivileged|chainguard|dhi\.io/.test(baseName)) return;
  // An entry point may itself become another user.
  const scripted = instructions.some(
    (each) =>
      each.kind === "ENTRYPOINT" && /entrypoint|gosu|su-exec|tini|init|\.sh\b/.test(each.argv.join(" ")),
  );
  if (scripted) return;
  yield {
    message: "No USER: the image's program runs as root, unless the base image says otherwise",
    range: program.node.range,
    comments: program.comments,
  };
}
