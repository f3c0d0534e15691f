import { type Dockerfile, type Stage, tryExpandWord } from "../../../parser/index.ts";

/** A build argument that a target takes. */
export interface OutlineArg {
  readonly name: string;
  readonly description: string;
  /** With variables expanded; empty where it has none. */
  readonly value: string;
  readonly line: number;
  readonly endLine: number;
}

/** What a builder knows without being told. */
const PREDEFINED = new Set(
  ["BUILD", "TARGET"]
    .flatMap((of) => ["PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT"].map((what) => of + what))
    .concat("TARGETSTAGE"),
);

export interface ArgsInput {
  /** Those that the target needs, in the order of the file. */
  readonly stages: readonly Stage[];
  readonly buildArgs: Readonly<Record<string, string>>;
}

/**
 * The arguments of stages, and those above the first FROM that they use: in a FROM, or declared again. What a builder sets
 * itself is none of them, unless the file or the command line gives it a value.
 */
export function collectArgs(
  { metaArgs, escape: escapeChar }: Dockerfile,
  input: ArgsInput,
): readonly OutlineArg[] {
  const { stages, buildArgs } = input;
  const expand = (word: string, env: ReadonlyMap<string, string>) =>
    tryExpandWord(word, env, { escape: escapeChar });

  const globals = new Map<string, OutlineArg & { readonly uses: readonly string[] }>();
  const globalEnv = new Map<string, string>();
  for (const { args, node } of metaArgs) {
    for (const { key, value, docComment } of args) {
      const expanded = value === undefined ? undefined : expand(value, globalEnv);
      const given = buildArgs[key] ?? expanded?.word;
      if (given !== undefined) globalEnv.set(key, given);
      globals.set(key, {
        name: key,
        description: docComment,
        value: given ?? "",
        line: node.startLine,
        endLine: node.endLine,
        uses: expanded?.matched ?? [],
      });
    }
  }

  const found = new Map<string, OutlineArg>();
  const useGlobal = (key: string): void => {
    const { uses = [], ...arg } = globals.get(key) ?? {};
    if (!("name" in arg) || found.has(key)) return;
    found.set(key, arg as OutlineArg);
    for (const each of uses) useGlobal(each);
  };
  const environments = new Map<string, Map<string, string>>();
  for (const stage of stages) {
    const { from, baseName, platform, name } = stage;
    for (const word of [baseName, platform ?? ""])
      for (const key of expand(word, globalEnv).matched) useGlobal(key);
    const env = new Map(environments.get(from.baseName.toLowerCase()));
    if (name !== undefined) environments.set(name, env);
    for (const command of stage.commands) {
      if (command.kind === "ENV") {
        for (const { key, value } of command.pairs) env.set(expand(key, env).word, expand(value, env).word);
      } else if (command.kind === "ARG") {
        for (const { key, value, docComment } of command.args) {
          const given = buildArgs[key] ?? (value === undefined ? undefined : expand(value, env).word);
          const inherited = globalEnv.get(key);
          const actual = given ?? inherited;
          if (actual !== undefined) env.set(key, actual);
          if (given === undefined && (inherited !== undefined || PREDEFINED.has(key))) useGlobal(key);
          else if (globals.has(key) && value === undefined && inherited !== undefined) useGlobal(key);
          else {
            const { startLine: line, endLine } = command.node;
            found.set(key, { name: key, description: docComment, value: actual ?? "", line, endLine });
          }
        }
      }
    }
  }
  return [...found.values()].sort((a, b) => a.line - b.line);
}
