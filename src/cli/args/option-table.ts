interface OptionBase {
  /** One letter: `-t`. */
  readonly short?: string;
  /** For help: one line, sentence case, no final period. */
  readonly summary: string;
  /** Heading in help; "Options" when absent. */
  readonly group?: string;
  /** Accepted, but not shown: flags that scripts written for Docker pass and that change nothing here. */
  readonly hidden?: boolean;
}

/** `--quiet`, `--quiet=false`. */
export interface BooleanOption extends OptionBase {
  readonly type: "boolean";
}

/** `--file F`, `--file=F`; the last one counts. */
export interface StringOption extends OptionBase {
  readonly type: "string";
  /** Placeholder of the value in help. */
  readonly value: string;
  /** What holds when it isn't given, for help. */
  readonly default?: string;
}

/** May be repeated; every value counts, in order. */
export interface ListOption extends OptionBase {
  readonly type: "list";
  readonly value: string;
  readonly default?: string;
}

export type OptionSpec = BooleanOption | StringOption | ListOption;

/** The flags of a command by their long names, in the order help shows them. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** What a command line gave for each flag of a table. */
export type ParsedOptions<T extends OptionTable> = {
  readonly [Name in keyof T]: T[Name]["type"] extends "boolean"
    ? boolean
    : T[Name]["type"] extends "list"
      ? readonly string[]
      : string | undefined;
};
