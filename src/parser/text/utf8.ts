/**
 * Dockerfiles are bytes; here they are strings. A byte that is no part of valid UTF-8 becomes the lone
 * surrogate U+DC80 + (byte - 0x80), so that the bytes can be had back (PEP 383 calls this surrogateescape).
 * Encoding such a string carelessly gives U+FFFD for each such byte, which is what other builders show.
 */
const ESCAPE = 0xdc00;

/** A surrogate that is no half of a pair (only with the u flag does a class see pairs as one character). */
const LONE_SURROGATE = /[\ud800-\udfff]/u;
const LONE_SURROGATES = /[\ud800-\udfff]/gu;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes → text; never fails. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

/** Text → bytes, the inverse of {@link decodeUtf8}; other lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  if (!LONE_SURROGATE.test(text)) return encoder.encode(text);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < text.length && isLow(text.charCodeAt(i + 1))) {
      i++;
    } else if (isEscapedByte(unit)) {
      parts.push(encoder.encode(text.slice(from, i)), Uint8Array.of(unit - ESCAPE));
      from = i + 1;
    }
  }
  parts.push(encoder.encode(text.slice(from)));
  return concat(parts);
}

/** `text` with U+FFFD for every escaped byte and lone surrogate. */
export function toWellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replace(LONE_SURROGATES, "\ufffd") : text;
}

/** Text as one Latin-1 character per byte of its UTF-8 form. */
export function toByteString(text: string): string {
  const bytes = encodeUtf8(text);
  let out = "";
  // In pieces: a call may not take more arguments than fit on the stack.
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return out;
}

/** The inverse of {@link toByteString}. */
export function fromByteString(bytes: string): string {
  return decodeUtf8(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}

/** How many bytes `text` takes in UTF-8 (an escaped byte takes one). */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < text.length && isLow(text.charCodeAt(i + 1))) {
      length += 4;
      i++;
    } else length += isEscapedByte(unit) ? 1 : 3;
  }
  return length;
}

/** `text` without the first byte of its UTF-8 form; what is left of a cut character becomes escaped bytes. */
export function dropFirstByte(text: string): string {
  if (text.length === 0 || text.charCodeAt(0) < 0x80) return text.slice(1);
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0);
  return decodeUtf8(encodeUtf8(first).subarray(1)) + text.slice(first.length);
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function isEscapedByte(unit: number): boolean {
  return unit >= ESCAPE + 0x80 && unit <= ESCAPE + 0xff;
}

function decodeWithEscapes(bytes: Uint8Array): string {
  let out = "";
  let valid = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    out += strict.decode(bytes.subarray(valid, at));
    out += String.fromCharCode(ESCAPE + (bytes[at] as number));
    at++;
    valid = at;
  }
  return out + strict.decode(bytes.subarray(valid));
}

/** Length of the valid UTF-8 sequence at `at`, or 0 if there is none (RFC 3629, table of section 4). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const within = (offset: number, low = 0x80, high = 0xbf): boolean => {
    const byte = bytes[at + offset];
    return byte !== undefined && byte >= low && byte <= high;
  };
  if (first >= 0xc2 && first <= 0xdf) return within(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const low = first === 0xe0 ? 0xa0 : 0x80;
    const high = first === 0xed ? 0x9f : 0xbf;
    return within(1, low, high) && within(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const low = first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xf4 ? 0x8f : 0xbf;
    return within(1, low, high) && within(2) && within(3) ? 4 : 0;
  }
  return 0;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
