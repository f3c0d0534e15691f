import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseOptions } from "../../src/cli/args/parse-options.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { findCommand } from "../../src/cli/find-command.ts";
import { findDocuments, ROOT } from "./source-files.ts";

const lines = findDocuments().flatMap((path) =>
  codeLines(readFileSync(join(ROOT, path), "utf8")).map((line) => ({ path, line })),
);
const documented = lines.flatMap(({ path, line }) => strakeCalls(line).map((words) => ({ path, words })));

test("the documents show commands", () => {
  expect(documented.length).toBeGreaterThan(5);
});

test.each(documented.map(({ path, words }) => [`strake ${words.join(" ")}`, path, words] as const))(
  "%s (%s) is a command line that strake takes",
  async (_name, _path, words) => {
    const found = findCommand(COMMANDS, words);
    expect(found, "a command of this name").toBeDefined();
    const command = await found?.entry.load();
    const { positionals, help } = parseOptions(command?.options ?? {}, found?.rest ?? []);
    if (help) return;
    expect(positionals.length).toBeGreaterThanOrEqual(command?.count.min ?? 0);
    expect(positionals.length).toBeLessThanOrEqual(command?.count.max ?? 0);
  },
);

test("docs/cli.md tells of every command: in code, or as a heading", () => {
  const text = readFileSync(join(ROOT, "docs/cli.md"), "utf8");
  const isTold = (name: string): boolean =>
    new RegExp(`(?:strake |\`|^## (?:.*, )?)${name}\\b`, "m").test(text);
  expect(COMMANDS.map(({ name }) => name).filter((name) => !isTold(name))).toEqual([]);
});

test("strakeCalls() reads pipes, quotes and remarks", () => {
  expect(strakeCalls(`printf 'FROM a b\\n' | strake build -t "a b" -   # a remark`)).toEqual([
    ["build", "-t", "a b", "-"],
  ]);
  expect(strakeCalls("npm run strake build")).toEqual([]);
  expect(strakeCalls("STRAKE_ROOT=/x strake images && strake pull a")).toEqual([["images"], ["pull", "a"]]);
});

/** Lines of indented and fenced blocks. */
function codeLines(text: string): readonly string[] {
  let fenced = false;
  return text.split("\n").filter((line) => {
    if (line.startsWith("```")) fenced = !fenced;
    return (fenced && !line.startsWith("```")) || line.startsWith("    ");
  });
}

/** The arguments of every call of strake in a shell line. */
function strakeCalls(line: string): readonly (readonly string[])[] {
  const words = Array.from(line.matchAll(/(?:[^\s"'|&;]|"[^"]*"|'[^']*')+|\||&&|;/g), ([word]) => word);
  const remark = words.findIndex((word) => word.startsWith("#"));
  const commands: string[][] = [[]];
  for (const word of remark < 0 ? words : words.slice(0, remark)) {
    if (["|", "&&", ";"].includes(word)) commands.push([]);
    else if (commands.at(-1)?.length !== 0 || !/^[A-Z_]+=/.test(word))
      commands.at(-1)?.push(word.replaceAll(/["']/g, ""));
  }
  return commands.filter(([name]) => name === "strake").map(([, ...rest]) => rest);
}
