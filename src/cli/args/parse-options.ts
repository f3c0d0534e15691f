import { usageError } from "../error.ts";
import type { OptionSpec, OptionTable, ParsedOptions } from "./option-table.ts";
import { suggest } from "./suggest.ts";

export interface ParsedArguments<T extends OptionTable> {
  readonly options: ParsedOptions<T>;
  /** What is no flag, in order; everything after `--`. */
  readonly positionals: readonly string[];
  /** How many of the positionals stood before `--`; undefined without one. */
  readonly beforeDashes: number | undefined;
  /** `--help` or `-h` was given; then nothing after it was looked at. */
  readonly help: boolean;
}

/**
 * Reads arguments the way Docker's commands do: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`,
 * booleans `--flag` and `--flag=false`, bundled short booleans `-qt NAME`; flags and positionals mix, `--` ends flags.
 * @throws {CliError} USAGE for an unknown flag, a missing value or a boolean that is none
 */
export function parseOptions<T extends OptionTable>(table: T, argv: readonly string[]): ParsedArguments<T> {
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  const byShort = new Map(
    Object.entries(table).flatMap(([name, spec]) =>
      spec.short === undefined ? [] : [[spec.short, name] as const],
    ),
  );
  let index = 0;
  let help = false;
  let beforeDashes: number | undefined;

  const record = (name: string, shown: string, attached: string | undefined): void => {
    const spec = table[name] as OptionSpec;
    let value = attached;
    if (value === undefined) {
      if (spec.type === "boolean") value = "true";
      else if (index < argv.length) value = argv[index++];
      else throw usageError(`Flag "${shown}" needs a value`, `Give it as ${shown} ${spec.value}`);
    }
    const earlier = values.get(name);
    if (earlier === undefined) values.set(name, [value as string]);
    else earlier.push(value as string);
  };

  while (index < argv.length && !help) {
    const argument = argv[index++] as string;
    if (argument === "--") {
      beforeDashes = positionals.length;
      positionals.push(...argv.slice(index));
      break;
    }
    // "-:text/plain" is standard input too, with what it holds.
    if (argument === "-" || argument.startsWith("-:") || !argument.startsWith("-")) {
      positionals.push(argument);
    } else if (argument.startsWith("--")) {
      const equals = argument.indexOf("=");
      const name = equals < 0 ? argument.slice(2) : argument.slice(2, equals);
      if (name === "help" && !Object.hasOwn(table, "help")) help = true;
      else if (!Object.hasOwn(table, name)) throw unknownFlag(`--${name}`, table);
      else record(name, `--${name}`, equals < 0 ? undefined : argument.slice(equals + 1));
    } else {
      help = parseShort(argument, byShort, table, record);
    }
  }
  return { options: collect(table, values), positionals, beforeDashes, help };
}

/** One argument of short flags; true when `-h` was among them. */
function parseShort(
  argument: string,
  byShort: ReadonlyMap<string, string>,
  table: OptionTable,
  record: (name: string, shown: string, attached: string | undefined) => void,
): boolean {
  for (let at = 1; at < argument.length; at++) {
    const letter = argument[at] as string;
    const name = byShort.get(letter);
    if (name === undefined) {
      if (letter === "h") return true;
      throw unknownFlag(`-${letter}`, table, argument);
    }
    const rest = argument.slice(at + 1);
    if (table[name]?.type === "boolean" && !rest.startsWith("=")) {
      record(name, `-${letter}`, undefined);
      continue;
    }
    record(name, `-${letter}`, rest === "" ? undefined : rest.replace(/^=/, ""));
    break;
  }
  return false;
}

function collect<T extends OptionTable>(
  table: T,
  values: ReadonlyMap<string, readonly string[]>,
): ParsedOptions<T> {
  const options: Record<string, boolean | string | readonly string[] | undefined> = {};
  for (const [name, spec] of Object.entries(table)) {
    const given = values.get(name);
    switch (spec.type) {
      case "boolean":
        options[name] = given === undefined ? false : parseBoolean(name, given[given.length - 1] as string);
        break;
      case "string":
        options[name] = given?.[given.length - 1];
        break;
      case "list":
        options[name] = given ?? [];
        break;
      default:
        return spec satisfies never;
    }
  }
  return options as ParsedOptions<T>;
}

// The spellings of Go's strconv.ParseBool, which scripts written for Docker may use.
const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"]);

function parseBoolean(name: string, value: string): boolean {
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw usageError(`Flag "--${name}" is either true or false, not "${value}"`);
}

function unknownFlag(flag: string, table: OptionTable, argument: string = flag): Error {
  const shown = Object.keys(table).filter((name) => table[name]?.hidden !== true);
  // `-tag` is more often a slip for `--tag` than short flags in a row.
  const word = argument.replace(/^-+/, "").replace(/=.*/s, "");
  const guess = word.length > 1 ? suggest(word, shown) : undefined;
  return usageError(
    `Unknown flag "${flag}"${argument === flag ? "" : ` in "${argument}"`}`,
    guess === undefined ? undefined : `Did you mean "--${guess}"?`,
  );
}
