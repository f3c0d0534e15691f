import type { InstructionBase } from "./base.ts";
import { type CopyPaths, readPaths } from "./paths.ts";
import type { Reading } from "./reading.ts";

export interface CopyInstruction extends InstructionBase, CopyPaths {
  readonly kind: "COPY";
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  /** Patterns of what to leave out, as written. */
  readonly exclude: readonly string[];
}

const FLAGS = {
  from: "string",
  chown: "string",
  chmod: "string",
  link: "boolean",
  parents: "boolean",
  exclude: "strings",
} as const;

export function readCopy(reading: Reading): CopyInstruction {
  const { from, chown, chmod, link, parents, exclude } = reading.flags(FLAGS);
  return {
    kind: "COPY",
    ...reading.base(),
    ...readPaths(reading),
    from: from || undefined,
    chown: chown || undefined,
    chmod: chmod || undefined,
    link: link ?? false,
    parents: parents ?? false,
    exclude,
  };
}
