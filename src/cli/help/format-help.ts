import type { OptionSpec } from "../args/option-table.ts";
import type { Command, CommandEntry } from "../command.ts";
import { wrap } from "./wrap.ts";

interface Width {
  readonly columns: number | undefined;
}

const DEFAULT_COLUMNS = 100;
const MIN_COLUMNS = 60;
/** Longer lines are hard to read on the widest of terminals. */
const MAX_COLUMNS = 110;
/** Where the explanations of flags start, unless a flag is longer. */
const SUMMARY_COLUMN = 34;

/** `strake --help`: every command with its summary. */
export function formatCommandList(commands: readonly CommandEntry[], target: Width): string {
  const widest = Math.max(...commands.map(({ name }) => name.length));
  const groups = groupBy(commands, ({ group }) => group).map(([group, entries]) =>
    section(group, summaryLines(entries, widest)),
  );
  return [
    "Usage: strake COMMAND [OPTIONS] ...\n\n",
    ...wrap(
      "Builds OCI images from Dockerfiles without a daemon, and speaks to registries",
      lineWidth(target),
    ),
    ...groups,
    "\nstrake COMMAND --help shows the flags of a command; strake --version the version\n",
  ].join("");
}

/** `strake COMMAND --help`. */
export function formatCommandHelp(entry: CommandEntry, command: Command, target: Width): string {
  const width = lineWidth(target);
  const shown = Object.entries(command.options).filter(([, spec]) => spec.hidden !== true);
  const usage = ["Usage: strake", entry.name, ...(shown.length > 0 ? ["[OPTIONS]"] : []), command.operands];
  const groups = groupBy(shown, ([, spec]) => spec.group ?? "Options").map(([group, options]) =>
    section(
      group,
      options.flatMap(([name, spec]) => optionLines(name, spec, width)),
    ),
  );
  const examples = (command.examples ?? []).flatMap(({ command: line, summary }) => [
    `  # ${summary}`,
    `  ${line}`,
  ]);
  return [
    `${usage.join(" ").trimEnd()}\n\n`,
    `${entry.summary}\n`,
    ...(command.details ?? []).map((paragraph) => `\n${wrap(paragraph, width).join("")}`),
    ...groups,
    ...(examples.length === 0 ? [] : [section("Examples", examples)]),
  ].join("");
}

/** `strake cache`: the commands below a first word. */
export function formatCommandFamily(word: string, commands: readonly CommandEntry[]): string {
  const widest = Math.max(...commands.map(({ name }) => name.length));
  return `Usage: strake ${word} COMMAND [OPTIONS] ...\n${section("Commands", summaryLines(commands, widest))}`;
}

function summaryLines(commands: readonly CommandEntry[], widest: number): string[] {
  return commands.map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}`);
}

/** `-t, --tag NAME`, as shown to a person. */
function flagLabel(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? "    " : `-${spec.short}, `;
  return `${short}--${name}${spec.type === "boolean" ? "" : ` ${spec.value}`}`;
}

function optionLines(name: string, spec: OptionSpec, width: number): string[] {
  const label = `  ${flagLabel(name, spec)}`;
  const fallback = spec.type === "boolean" || spec.default === undefined ? "" : ` (default: ${spec.default})`;
  const repeated = spec.type === "list" ? " (repeatable)" : "";
  const text = wrap(`${spec.summary}${fallback}${repeated}`, width - SUMMARY_COLUMN).map((line) =>
    line.trimEnd(),
  );
  const indent = " ".repeat(SUMMARY_COLUMN);
  const [first = "", ...rest] = text;
  const head =
    label.length + 2 <= SUMMARY_COLUMN ? [label.padEnd(SUMMARY_COLUMN) + first] : [label, indent + first];
  return [...head, ...rest.map((line) => indent + line)];
}

function section(title: string, lines: readonly string[]): string {
  return `\n${title}:\n${lines.map((line) => `${line}\n`).join("")}`;
}

function lineWidth({ columns }: Width): number {
  return Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, columns ?? DEFAULT_COLUMNS));
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups];
}
