/** `1`, `t`, `true` … as Go reads a boolean; undefined for anything else. */
export function parseGoBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text) ? false : undefined;
}

/** Digits of the radix without sign that fit into 32 bits; undefined for anything else. */
export function parseUint32(text: string, radix: 8 | 10): number | undefined {
  if (!(radix === 8 ? /^[0-7]+$/ : /^[0-9]+$/).test(text)) return undefined;
  const value = Number.parseInt(text, radix);
  return value <= 0xffff_ffff ? value : undefined;
}

const SIZE = /^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?) ?([a-zA-Z]{0,3})$/;
const UNITS = "kmgtp";

/** A size in bytes: `64m`, `1.5GiB`, `512 kb`; units are powers of 1024. undefined for anything else. */
export function parseByteSize(text: string): number | undefined {
  const [, number, suffix] = SIZE.exec(text) ?? [];
  if (number === undefined || suffix === undefined) return undefined;
  const size = Number(number);
  if (size < 0) return undefined;
  const unit = suffix.toLowerCase();
  if (unit === "" || unit === "b") return Math.trunc(size);
  const power = UNITS.indexOf(unit.charAt(0)) + 1;
  if (power === 0 || !["", "b", "ib"].includes(unit.slice(1))) return undefined;
  return Math.trunc(size * 1024 ** power);
}
