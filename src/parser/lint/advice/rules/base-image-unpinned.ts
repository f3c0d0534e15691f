import type { Range } from "../../../source.ts";
import { isImageName } from "../../dry-run/image-name.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";

export const baseImageUnpinned = adviceRule("BaseImageUnpinned", {
  level: "warning",
  description:
    "An image without a tag, or with latest, is another one with every release, also one that breaks the build",
  fix: "Name a version: debian:12.8-slim, or a digest: debian@sha256:…",
  check: findUnpinned,
});

function* findUnpinned({ stages }: FileView): Generator<AdviceFinding> {
  for (const { stage, base, baseName } of stages) {
    // What an ARG's default names is often given by whoever builds.
    if (base !== undefined || baseName === undefined || stage.baseName.includes("$")) continue;
    const { comments, node } = stage.from;
    yield* judge(baseName, node.tokens.find(({ type }) => type === "word")?.range ?? node.range, comments);
  }
  const names = new Set(stages.flatMap(({ stage }) => stage.name ?? []));
  for (const { instruction } of stages.flatMap(({ commands }) => commands)) {
    if (instruction.kind !== "COPY" || instruction.from === undefined) continue;
    const { from, comments, node } = instruction;
    if (names.has(from.toLowerCase()) || /^\d+$|\$/.test(from)) continue;
    // A short name may well be that of a --build-context.
    if (!from.includes("/") && !from.includes(":")) continue;
    yield* judge(
      from,
      node.tokens.find(({ value }) => value.startsWith("--from="))?.range ?? node.range,
      comments,
    );
  }
}

function* judge(name: string, range: Range, comments: readonly string[]): Generator<AdviceFinding> {
  if (name === "scratch" || name.includes("@") || !isImageName(name)) return;
  const last = name.slice(name.lastIndexOf("/") + 1);
  const tag = last.includes(":") ? last.slice(last.indexOf(":") + 1) : undefined;
  if (tag === undefined) yield { message: `"${name}" means "${name}:latest"`, range, comments };
  else if (tag === "latest")
    yield { message: `"${name}" is another image with every release`, range, comments };
}
