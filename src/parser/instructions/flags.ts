import { nearest } from "../../util/nearest.ts";
import type { InstructionNode, Token } from "../ast.ts";
import type { Complaint } from "./complaint.ts";

/** The flags an instruction knows: `strings` may be given more than once. */
export type FlagKinds = Readonly<Record<string, "boolean" | "string" | "strings">>;

/** Values as written; undefined where the flag is not there. */
export type FlagValues<K extends FlagKinds> = {
  readonly [N in keyof K]: K[N] extends "boolean"
    ? boolean | undefined
    : K[N] extends "strings"
      ? readonly string[]
      : string | undefined;
};

/** What flags need of the instruction that they belong to. */
interface Refusing {
  readonly node: InstructionNode;
  error(complaint: Complaint): Error;
}

type Value = boolean | string | string[] | undefined;

const NONE: readonly string[] = [];

/** @throws {DockerfileError} UNKNOWN_FLAG, DUPLICATE_FLAG, BAD_FLAG_VALUE */
export function readFlags<K extends FlagKinds>(
  reading: Refusing,
  tokens: readonly Token[],
  kinds: K,
): FlagValues<K> {
  const values: Record<string, Value | readonly string[]> = {};
  for (const name in kinds) values[name] = kinds[name] === "strings" ? NONE : undefined;
  for (const token of tokens) readFlag(reading, token, kinds, values);
  return values as FlagValues<K>;
}

function readFlag(
  reading: Refusing,
  token: Token,
  kinds: FlagKinds,
  values: Record<string, Value | readonly string[]>,
): void {
  const equals = token.value.indexOf("=");
  const flag: Flag = {
    token,
    written: equals === -1 ? token.value : token.value.slice(0, equals),
    value: equals === -1 ? undefined : token.value.slice(equals + 1),
  };
  const name = flag.written.slice(2);
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  const before = values[name];
  if (kind === undefined) throw unknownFlag(reading, flag, Object.keys(kinds));
  if (kind === "strings") {
    const value = needValue(reading, flag);
    if (Array.isArray(before) && before !== NONE) before.push(value);
    else values[name] = [value];
    return;
  }
  if (before !== undefined) {
    throw reading.error({
      code: "DUPLICATE_FLAG",
      reason: `duplicate flag specified: ${flag.written}`,
      hint: `Give ${flag.written} once`,
      focus: token.range,
    });
  }
  values[name] = kind === "boolean" ? toBoolean(reading, flag) : needValue(reading, flag);
}

interface Flag {
  readonly token: Token;
  /** With its dashes, without its value. */
  readonly written: string;
  readonly value: string | undefined;
}

function unknownFlag(reading: Refusing, { token, written }: Flag, known: readonly string[]): Error {
  const close = nearest(written.slice(2), known);
  const name = reading.node.keyword.toUpperCase();
  return reading.error({
    code: "UNKNOWN_FLAG",
    reason: `unknown flag: ${written}`,
    hint:
      close !== undefined
        ? `Did you mean --${close}?`
        : known.length === 0
          ? `${name} takes no flags`
          : `${name} knows ${known.map((flag) => `--${flag}`).join(", ")}`,
    focus: token.range,
  });
}

function needValue(reading: Refusing, { token, written, value }: Flag): string {
  if (value !== undefined) return value;
  throw reading.error({
    code: "BAD_FLAG_VALUE",
    reason: `missing a value on flag: ${written}`,
    hint: `Write ${written}=VALUE, without blanks around =`,
    focus: token.range,
  });
}

function toBoolean(reading: Refusing, flag: Flag): boolean {
  const { token, written, value } = flag;
  if (value === "") needValue(reading, { ...flag, value: undefined });
  const lower = (value ?? "true").toLowerCase();
  if (lower === "true" || lower === "false") return lower === "true";
  throw reading.error({
    code: "BAD_FLAG_VALUE",
    reason: `expecting boolean value for flag ${written}, not: ${value}`,
    hint: `Write ${written} or ${written}=false`,
    focus: token.range,
  });
}
