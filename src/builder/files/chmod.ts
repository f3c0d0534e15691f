import { FilesError } from "./error.ts";

const READ = 0o444;
const WRITE = 0o222;
const EXECUTE = 0o111;
const SET_UID = 0o4000;
const SET_GID = 0o2000;
const STICKY = 0o1000;
/** What `=` clears when no class is named: all but the sticky bit. */
const STANDARD = 0o6777;
const CLASSES = { u: SET_UID | 0o700, g: SET_GID | 0o070, o: 0o007, a: STANDARD } as const;
const CLASS_SHIFT = { u: 6, g: 3, o: 0 } as const;

/** What `--chmod` asks for. */
export type ModeChange =
  | { readonly kind: "octal"; readonly mode: number }
  | { readonly kind: "symbolic"; readonly commands: readonly ModeCommand[] };

/** One thing done to the bits, in order. */
type ModeCommand =
  | { readonly kind: "set" | "clear"; readonly bits: number }
  /** `X`: sets bits of folders, and of files that somebody could execute before the first command. */
  | { readonly kind: "set-if-searchable"; readonly bits: number }
  /** `g=u`: takes over the permissions that one class has by now. */
  | {
      readonly kind: "copy";
      readonly from: keyof typeof CLASS_SHIFT;
      readonly operator: Operator;
      /** Permission bits of the classes that receive them. */
      readonly into: number;
    };

type Operator = "+" | "-" | "=";

/**
 * Reads the value of `--chmod`: octal up to 07777, or symbolic as chmod(1) has it (`u+x,go-w`, `a=rX`, `g=u`).
 * @throws {FilesError} CHMOD_INVALID
 */
export function parseChmod(text: string): ModeChange {
  if (/^[0-9]/.test(text)) {
    const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
    if (!(mode <= 0o7777))
      throw new FilesError(
        "CHMOD_INVALID",
        `Cannot use --chmod=${text}: invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
      );
    return { kind: "octal", mode };
  }
  return { kind: "symbolic", commands: text.split(",").flatMap((clause) => parseClause(clause, text)) };
}

/** The mode a file gets; modes are permission bits with setuid, setgid and sticky. */
export function applyChmod(
  change: ModeChange | undefined,
  file: { readonly mode: number; readonly isDir: boolean },
): number {
  if (change === undefined) return file.mode;
  if (change.kind === "octal") return change.mode;
  const isSearchable = file.isDir || (file.mode & EXECUTE) !== 0;
  let mode = file.mode;
  for (const command of change.commands) mode = applyCommand(command, mode, isSearchable);
  return mode;
}

/** `ug+rw-x=o`: a list of classes, then operators with what each does. */
function parseClause(clause: string, text: string): ModeCommand[] {
  const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
  if (match === null)
    throw new FilesError("CHMOD_INVALID", `Cannot use --chmod=${text}: invalid syntax`, {
      hint: "Write it in octal (--chmod=755) or as chmod does (--chmod=u=rwX,go=rX)",
    });
  const [, classes = "", actions = ""] = match;
  let who = 0;
  for (const name of classes) who |= CLASSES[name as keyof typeof CLASSES];
  const commands: ModeCommand[] = [];
  for (const [, operator, permissions = ""] of actions.matchAll(/([-+=])([rwxXstugo]*)/g))
    addAction(commands, { who, operator: operator as Operator, permissions });
  return commands;
}

function addAction(
  commands: ModeCommand[],
  action: { readonly who: number; readonly operator: Operator; readonly permissions: string },
): void {
  const { operator } = action;
  // The set-id and sticky bits belong to nobody else: `o+s` and `o+t` do nothing.
  const takesSpecial = action.who === 0 || (action.who & ~CLASSES.o) !== 0;
  let who = action.who;
  let bits = 0;
  let executeIfSearchable = 0;
  let hasCleared = false;

  const flush = (clearAnyway: boolean): void => {
    if (operator === "=" && (bits !== 0 || (clearAnyway && !hasCleared))) {
      commands.push({ kind: "clear", bits: who === 0 ? STANDARD : who });
      hasCleared = true;
    }
    if (bits !== 0)
      commands.push({ kind: operator === "-" ? "clear" : "set", bits: who === 0 ? bits : bits & who });
    if (executeIfSearchable !== 0)
      commands.push({ kind: "set-if-searchable", bits: who === 0 ? EXECUTE : EXECUTE & who });
    bits = 0;
    executeIfSearchable = 0;
  };

  for (const permission of action.permissions) {
    if (permission === "r") bits |= READ;
    else if (permission === "w") bits |= WRITE;
    else if (permission === "x" || (permission === "X" && operator === "-")) bits |= EXECUTE;
    else if (permission === "X") executeIfSearchable = EXECUTE;
    else if (permission === "s" && takesSpecial) bits |= SET_UID | SET_GID;
    else if (permission === "t" && takesSpecial) {
      bits |= STICKY;
      if (who !== 0) who |= STICKY;
    } else if (permission === "u" || permission === "g" || permission === "o") {
      // A copy replaces the permissions itself, and leaves the special bits alone.
      flush(false);
      hasCleared = true;
      commands.push({ kind: "copy", from: permission, operator, into: (who === 0 ? STANDARD : who) & 0o777 });
    }
  }
  flush(true);
}

function applyCommand(command: ModeCommand, mode: number, isSearchable: boolean): number {
  switch (command.kind) {
    case "set":
      return mode | command.bits;
    case "clear":
      return mode & ~command.bits;
    case "set-if-searchable":
      return isSearchable ? mode | command.bits : mode;
    case "copy": {
      const copied = (((mode >> CLASS_SHIFT[command.from]) & 7) * 0o111) & command.into;
      if (command.operator === "+") return mode | copied;
      if (command.operator === "-") return mode & ~copied;
      return (mode & ~command.into) | copied;
    }
    default:
      return command satisfies never;
  }
}
