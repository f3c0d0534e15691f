import type { InstructionBase } from "./base.ts";
import { type CopyPaths, readPaths } from "./paths.ts";
import type { Reading } from "./reading.ts";

export interface AddInstruction extends InstructionBase, CopyPaths {
  readonly kind: "ADD";
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  /** Patterns of what to leave out, as written. */
  readonly exclude: readonly string[];
  /** undefined where nothing is said: the source's kind decides. */
  readonly keepGitDir: boolean | undefined;
  readonly checksum: string | undefined;
  /** undefined where nothing is said: local archives are unpacked, downloaded ones are not. */
  readonly unpack: boolean | undefined;
}

const FLAGS = {
  chown: "string",
  chmod: "string",
  link: "boolean",
  "keep-git-dir": "boolean",
  checksum: "string",
  unpack: "boolean",
  exclude: "strings",
} as const;

export function readAdd(reading: Reading): AddInstruction {
  const flags = reading.flags(FLAGS);
  return {
    kind: "ADD",
    ...reading.base(),
    ...readPaths(reading),
    chown: flags.chown || undefined,
    chmod: flags.chmod || undefined,
    link: flags.link ?? false,
    exclude: flags.exclude,
    keepGitDir: flags["keep-git-dir"],
    checksum: flags.checksum || undefined,
    unpack: flags.unpack,
  };
}
