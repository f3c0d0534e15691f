import { type CommandView, joinPath } from "./file-view.ts";

/** Where files of a COPY or ADD are. */
export interface CopiedPath {
  /** Absolute: the file, or the folder that files went into. */
  readonly path: string;
  /** It is known to be one file. */
  readonly isFile: boolean;
  readonly command: CommandView;
}

/** The paths that a COPY or ADD makes, as far as they can be told without the files. */
export function copiedPaths(command: CommandView): readonly CopiedPath[] {
  const { instruction, workdir } = command;
  if (instruction.kind !== "COPY" && instruction.kind !== "ADD") return [];
  const { destination, sources } = instruction;
  const target = joinPath(workdir, destination);
  if (target === undefined) return [];
  const isFolder = destination.endsWith("/") || sources.length > 1 || /(?:^|\/)\.{1,2}$/.test(destination);
  return sources.map((source) => {
    const name = source.replace(/\/+$/, "").split("/").at(-1) ?? "";
    const isNamed = /\.[A-Za-z0-9]+$/.test(name) && !/[*?[$]/.test(name) && !source.endsWith("/");
    if (isFolder && isNamed) return { path: joinPath(target, name) ?? target, isFile: true, command };
    return { path: target, isFile: !isFolder && isNamed, command };
  });
}
