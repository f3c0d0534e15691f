import type { SourceSpan } from "./util/span.ts";

/** What an error carries beside its message. */
export interface ErrorDetails {
  /** What the reader can do next: one sentence, sentence case, no final period. */
  readonly hint?: string | undefined;
  /** The place in a Dockerfile that caused it. */
  readonly at?: SourceSpan | undefined;
  readonly cause?: unknown;
}

/**
 * Marks our errors, the same in all of the package's bundles: `strake/parser` carries a class of its own, as one file loads
 * a tenth faster than two, and an error that it throws is a StrakeError for whoever imported that from `strake`.
 */
const MARK = Symbol.for("strake.error");

/**
 * Base of every error that strake raises for something outside its own code: input, disk, network,
 * processes. A caller's programming mistake is a TypeError or RangeError instead.
 *
 * The message starts with what was attempted, then the state found: `Cannot push blob "sha256:…":
 * registry answered 403`. Callers branch on `code`, never on the text.
 */
export class StrakeError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly hint: string | undefined;
  readonly at: SourceSpan | undefined;

  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: this is the class that was asked, maybe a subclass
    return isOurs(this, value);
  }

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    // Each class says its name itself: a bundler that makes names short renames the class.
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
    this.at = details.at;
  }

  /** On the prototype, so that nobody sees it who prints an error. */
  get [MARK](): true {
    return true;
  }
}

/** For a subclass, `instanceof` means what it always does. */
function isOurs(asked: unknown, value: unknown): boolean {
  if (asked === StrakeError) return typeof value === "object" && value !== null && MARK in value;
  return Function.prototype[Symbol.hasInstance].call(asked, value);
}
