import { posix } from "node:path";
import type { AddInstruction, CopyInstruction } from "../../parser/index.ts";
import { BuildError } from "../error.ts";
import { parseChecksum, parseChmod } from "../files/index.ts";
import { redactCredentials } from "../redact-url.ts";
import { type GitSource, parseGitSource } from "./git-source.ts";
import { absolutePath } from "./paths.ts";
import type { StageState } from "./planned-stage.ts";
import type { ContextVertex, CopySource, StateVertex } from "./vertex.ts";
import type { WordExpander } from "./word-expander.ts";

/** A COPY or ADD with its words expanded, ready to become a vertex. */
export interface PlannedCopy {
  readonly sources: readonly CopySource[];
  readonly destination: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly exclude: readonly string[];
  readonly unpack: boolean;
  readonly isUnpackAsked?: true;
  /** The text of its history entry. */
  readonly createdBy: string;
}

/**
 * Expands a COPY or ADD and sorts its sources by kind.
 * @param from what its plain paths are relative to: the context, or what `--from` names
 * @throws {BuildError} DOCKERFILE_INVALID; {DockerfileError} from expansion
 */
export function planCopyInstruction(
  stage: StageState,
  instruction: CopyInstruction | AddInstruction,
  from: ContextVertex | StateVertex,
  words: WordExpander,
): PlannedCopy {
  const isAdd = instruction.kind === "ADD";
  const chown = words.expand(instruction.chown ?? "", stage.env);
  const chmod = words.expand(instruction.chmod ?? "", stage.env);
  const checksum = isAdd ? words.expand(instruction.checksum ?? "", stage.env) : "";
  const parents = instruction.kind === "COPY" && instruction.parents;
  const paths = instruction.sources.map((source) => words.expand(source, stage.env));
  const destination = words.expand(instruction.destination, stage.env);
  const contents = instruction.contents.map(({ name, data, expand }) => ({
    name,
    data: expand ? words.expandBody(data, stage.env) : data,
  }));
  if (chmod !== "") parseChmod(chmod);
  if (checksum !== "") checkChecksumUse(paths);
  const sources: CopySource[] = [
    ...paths.map((path) => sourceOf(path, { isAdd, parents, checksum, from, instruction })),
    ...contents.map(({ name, data }) => ({
      kind: "inline" as const,
      name: inlineName(name),
      content: Buffer.from(data, "utf8"),
    })),
  ];
  const createdBy = [
    instruction.kind,
    ...(parents ? ["--parents"] : []),
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === "" ? [] : [`--chmod=${chmod}`]),
    ...paths.map(redactCredentials),
    ...contents.map(({ name }) => `<<${name}`),
    destination,
    "# buildkit",
  ].join(" ");
  return {
    sources,
    destination: absolutePath(destination, stage.config.WorkingDir ?? "/"),
    ...(chown === "" ? {} : { chown }),
    ...(chmod === "" ? {} : { chmod }),
    exclude: instruction.exclude,
    unpack: isAdd && (instruction.unpack ?? true),
    ...(isAdd && instruction.unpack === true ? { isUnpackAsked: true } : {}),
    createdBy,
  };
}

function sourceOf(
  path: string,
  options: {
    readonly isAdd: boolean;
    readonly parents: boolean;
    readonly checksum: string;
    readonly from: ContextVertex | StateVertex;
    readonly instruction: CopyInstruction | AddInstruction;
  },
): CopySource {
  const { isAdd, parents, checksum, from, instruction } = options;
  const git = parseGitSource(path);
  if (git !== undefined) {
    if (!isAdd) throw invalid("source can't be a git ref for COPY", "Use ADD for repositories");
    return { kind: "git", ...withFlags(git, instruction as AddInstruction, checksum) };
  }
  if (isUrl(path)) {
    if (!isAdd) throw invalid("source can't be a URL for COPY", "Use ADD for downloads");
    // Downloads are unpacked only where that is asked for.
    const unpack = instruction.kind === "ADD" && instruction.unpack === true;
    if (checksum !== "") parseChecksum(checksum);
    return { kind: "http", url: path, unpack, ...(checksum === "" ? {} : { checksum }) };
  }
  if (!parents) return { kind: "tree", from, path: cleaned(path), written: path };
  // What stands before `/./` is left out of the destination's path.
  const pivot = path.indexOf("/./");
  const base = pivot < 0 ? "/" : path.slice(0, pivot);
  const pattern = pivot < 0 ? path : path.slice(pivot + 3);
  return {
    kind: "tree",
    from,
    path: cleaned(base),
    written: path,
    parentsPattern: cleaned(pattern).slice(1),
  };
}

/** A repository with what the instruction's flags add to its address; they must not disagree. */
function withFlags(git: GitSource, { keepGitDir }: AddInstruction, checksum: string): GitSource {
  if (keepGitDir !== undefined && git.keepGitDir !== undefined && keepGitDir !== git.keepGitDir)
    throw invalid("inconsistent keep-git-dir configuration", "The flag and the URL disagree; leave one out");
  if (checksum !== "" && git.checksum !== undefined && checksum !== git.checksum)
    throw invalid(
      `checksum mismatch "${checksum}" != "${git.checksum}"`,
      "The flag and the URL disagree; leave one out",
    );
  return {
    ...git,
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(checksum === "" ? {} : { checksum }),
  };
}

function checkChecksumUse(paths: readonly string[]): void {
  const [only] = paths;
  if (paths.length !== 1 || only === undefined)
    throw invalid("checksum can't be specified for multiple sources", "Give each source an ADD of its own");
  if (!isUrl(only) && parseGitSource(only) === undefined)
    throw invalid(
      "checksum requires HTTP(S) or Git sources",
      "Leave --checksum out for files of the context",
    );
}

function isUrl(path: string): boolean {
  return path.startsWith("http://") || path.startsWith("https://");
}

function cleaned(path: string): string {
  return posix.normalize(`/${path}`).replace(/(.)\/+$/, "$1");
}

function invalid(message: string, hint: string): BuildError {
  return new BuildError("DOCKERFILE_INVALID", message, { hint });
}

/**
 * What the file of a heredoc is called: BuildKit makes it at that path in an empty file system, where no folder is, and
 * copies it under the last part of the name.
 */
function inlineName(written: string): string {
  const path = cleaned(written);
  const name = posix.basename(path);
  if (path === `/${name}` && name !== "") return name;
  const state = name === "" ? "is a directory" : "no such file or directory";
  throw invalid(
    `Cannot make the file <<${written}: open ${path}: ${state}`,
    "A file has no folders in its name here; put them into the destination",
  );
}
