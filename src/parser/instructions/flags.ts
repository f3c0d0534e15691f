import { nearest } from "../../util/nearest.ts";
import type { Token } from "../ast.ts";
import type { Reading } from "./reading.ts";

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

/** @throws {DockerfileError} UNKNOWN_FLAG, DUPLICATE_FLAG, BAD_FLAG_VALUE */
export function readFlags<K extends FlagKinds>(
  reading: Reading,
  tokens: readonly Token[],
  kinds: K,
): FlagValues<K> {
  const values = new Map<string, boolean | string | string[]>();
  for (const token of tokens) {
    const equals = token.value.indexOf("=");
    const written = equals === -1 ? token.value : token.value.slice(0, equals);
    const value = equals === -1 ? undefined : token.value.slice(equals + 1);
    const name = written.slice(2);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw unknownFlag(reading, token, written, Object.keys(kinds));
    if (kind === "strings") {
      const list = values.get(name);
      const added = needValue(reading, token, written, value);
      if (Array.isArray(list)) list.push(added);
      else values.set(name, [added]);
      continue;
    }
    if (values.has(name)) {
      throw reading.error({
        code: "DUPLICATE_FLAG",
        reason: `duplicate flag specified: ${written}`,
        hint: `Give ${written} once`,
        focus: token.range,
      });
    }
    values.set(
      name,
      kind === "boolean"
        ? toBoolean(reading, token, written, value)
        : needValue(reading, token, written, value),
    );
  }
  const entries = Object.entries(kinds).map(([name, kind]) => [
    name,
    values.get(name) ?? (kind === "strings" ? [] : undefined),
  ]);
  return Object.fromEntries(entries) as FlagValues<K>;
}

function unknownFlag(reading: Reading, token: Token, written: string, known: readonly string[]): Error {
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

function needValue(reading: Reading, token: Token, written: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw reading.error({
    code: "BAD_FLAG_VALUE",
    reason: `missing a value on flag: ${written}`,
    hint: `Write ${written}=VALUE, without blanks around =`,
    focus: token.range,
  });
}

function toBoolean(reading: Reading, token: Token, written: string, value: string | undefined): boolean {
  if (value === "") needValue(reading, token, written, undefined);
  const lower = (value ?? "true").toLowerCase();
  if (lower === "true" || lower === "false") return lower === "true";
  throw reading.error({
    code: "BAD_FLAG_VALUE",
    reason: `expecting boolean value for flag ${written}, not: ${value}`,
    hint: `Write ${written} or ${written}=false`,
    focus: token.range,
  });
}
