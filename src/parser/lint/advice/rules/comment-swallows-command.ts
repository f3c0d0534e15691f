import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingIn } from "../finding.ts";

export const commentSwallowsCommand = adviceRule("CommentSwallowsCommand", {
  level: "warning",
  description:
    "Continued lines are one line for the shell, so that a comment behind a command takes the following lines with it",
  fix: "Give the comment a line of its own, or write the commands as a heredoc",
  check: findSwallowed,
});

/** A comment that goes on in the next line of the file, with something in it that looks like a command. */
function* findSwallowed({ stages, dockerfile: { source } }: FileView): Generator<AdviceFinding> {
  for (const command of stages.flatMap(({ commands }) => commands)) {
    for (const run of command.scripts) {
      if (run.isHeredoc) continue;
      for (const comment of run.script.comments) {
        const { start, end } = run.locate(comment.start, comment.end);
        const lineEnd = source.text.indexOf("\n", start);
        if (lineEnd === -1 || lineEnd >= end) continue;
        const swallowed = source.text.slice(lineEnd + 1, end).trim();
        if (swallowed === "" || swallowed.startsWith("#")) continue;
        const lines = source.lineAt(end) - source.lineAt(start);
        const message = `The comment also takes the following ${lines === 1 ? "line, which is" : `${lines} lines, which are`} never run`;
        const shown = source.text.slice(start, lineEnd).replace(/\\?\s*$/, "");
        yield {
          ...findingIn(command, { script: run, ...comment }, message),
          range: { start, end: start + shown.length },
        };
      }
    }
  }
}
