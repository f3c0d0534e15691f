import type { EscapeCharacter, InstructionNode } from "../../ast.ts";
import type { RunInstruction } from "../../instructions/run.ts";
import type { Range, Source } from "../../source.ts";
import { parseScript } from "./parse-script.ts";
import type { ShellScript } from "./script.ts";

/** How a shell was started. */
export interface ShellMode {
  /** Without folders: `sh`, `bash`. */
  readonly name: string;
  /** `-e`: it stops at a command that fails. */
  readonly errexit: boolean;
  readonly pipefail: boolean;
}

/** Something that a RUN gives to a shell. */
export interface RunScript {
  readonly script: ShellScript;
  readonly shell: ShellMode;
  readonly isHeredoc: boolean;
  /** Where a part of the script stands in the Dockerfile. */
  readonly locate: (start: number, end: number) => Range;
}

/** Where these are, another shell reads the line than the file can tell. */
const FOR_WINDOWS = /^(?:powershell|pwsh|cmd)(?:\.exe)?$|^setx$/i;

const SHELLS = new Set(["sh", "bash", "dash", "ash", "ksh", "zsh"]);

/** The shell of `SHELL ["/bin/bash", "-eo", "pipefail", "-c"]`; undefined where it is none of Bourne's family. */
export function readShell(argv: readonly string[]): ShellMode | undefined {
  const [program = "", ...args] = argv;
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (!SHELLS.has(name)) return undefined;
  return {
    name,
    errexit: args.some((arg, index) => isOn(arg, "e") || isOption(args, index, "errexit")),
    pipefail: args.some((_arg, index) => isOption(args, index, "pipefail")),
  };
}

/** `-e`, `-eux`, `-euo`. */
export function isOn(arg: string, letter: string): boolean {
  return /^-[A-Za-z]+$/.test(arg) && arg.includes(letter);
}

/** The word of an `-o`: `-o pipefail`, `-euo pipefail`. */
export function isOption(args: readonly string[], index: number, name: string): boolean {
  return args[index] === name && isOn(args[index - 1] ?? "", "o");
}

/** What a RUN has a shell do: its line, or the heredoc that is its script. */
export function runScripts(
  run: RunInstruction,
  {
    shell,
    source,
    escape: escapeChar,
  }: { readonly shell: ShellMode | undefined; readonly source: Source; readonly escape: EscapeCharacter },
): readonly RunScript[] {
  const { node } = run;
  // A backtick escapes in files for Windows, whose shells are others.
  if (escapeChar !== "\\") return [];
  if (!run.isShellForm) return execScript(run);
  const [text = ""] = run.argv;
  const [heredoc] = node.heredocs;
  const line = text.trim();
  if (heredoc !== undefined && /^<<-?\s*(["']?)[^\s"'<>]+\1$/.test(line)) {
    return heredocScript(heredoc, shell);
  }
  if (shell === undefined) return [];
  const script = parseScript(text);
  if (script.commands.some(({ words }) => FOR_WINDOWS.test(words[0]?.text ?? ""))) return [];
  const scripts = [{ script, shell, isHeredoc: false, locate: locator(node, text, source) }];
  const [command, ...others] = script.commands;
  if (heredoc === undefined || command === undefined || others.length > 0) return scripts;
  // `RUN bash -e <<EOF`: its script comes on standard input.
  const words = command.words.map((word) => word.text);
  const inner = words.slice(1).every((word) => word.startsWith("-") || word === "pipefail")
    ? readShell(words)
    : undefined;
  return inner === undefined ? scripts : [...scripts, ...heredocScript(heredoc, inner)];
}

type Heredoc = InstructionNode["heredocs"][number];

function heredocScript({ content, body }: Heredoc, shell: ShellMode | undefined): RunScript[] {
  const firstLine = (content.split("\n", 1)[0] ?? "").replace(/^\t+/, "");
  const isProgram = firstLine.startsWith("#!");
  const mode = isProgram ? readShebang(firstLine) : shell;
  if (mode === undefined) return [];
  // Leading tabs are left in: for a shell they are blanks, and places stay what they are.
  const locate = (start: number, end: number): Range => ({
    start: body.start + start,
    end: body.start + end,
  });
  return [{ script: parseScript(content), shell: mode, isHeredoc: true, locate }];
}

/** `#!/bin/bash -e`, `#!/usr/bin/env bash`. */
function readShebang(line: string): ShellMode | undefined {
  const words = line.slice(2).trim().split(/\s+/);
  return readShell(/\/env$/.test(words[0] ?? "") ? words.slice(1).filter((word) => word !== "-S") : words);
}

/** `RUN ["bash", "-c", "script"]`. */
function execScript(run: RunInstruction): RunScript[] {
  const shell = readShell(run.argv);
  const [flag = "", text] = run.argv.slice(-2);
  if (shell === undefined || text === undefined || !isOn(flag, "c")) return [];
  const locate = (): Range => run.node.range;
  return [{ script: parseScript(text), shell, isHeredoc: false, locate }];
}

/** Maps offsets of the joined text to the file, whose continued lines and the comments between them are no part of it. */
function locator(node: InstructionNode, text: string, source: Source): RunScript["locate"] {
  const token = node.tokens.findLast(({ type }) => type === "text");
  if (token === undefined) return () => node.range;
  const origins = originsOf(source, token.range);
  if (origins.text !== text) return () => node.range;
  return (start, end) => {
    const from = origins.offset(start);
    return { start: from, end: Math.max(from, end > start ? origins.offset(end - 1) + 1 : from) };
  };
}

function originsOf(
  source: Source,
  range: Range,
): { readonly text: string; readonly offset: (joined: number) => number } {
  const pieces: { readonly joined: number; readonly origin: number; readonly text: string }[] = [];
  let joined = 0;
  for (let at = range.start; at < range.end; ) {
    const newline = source.text.indexOf("\n", at);
    const end = newline === -1 || newline >= range.end ? range.end : newline;
    const line = source.text.slice(at, end);
    // The first line begins behind the keyword; of the others, comments and blank ones are left out.
    if (pieces.length === 0 || !/^\s*(?:#|$)/.test(line)) {
      const text = line.replace(/\\[ \t]*\r?$/, "");
      pieces.push({ joined, origin: at, text });
      joined += text.length;
    }
    at = end + 1;
  }
  return {
    text: pieces.map((piece) => piece.text).join(""),
    offset(offset) {
      const piece = pieces.findLast((each) => each.joined <= offset) ?? pieces[0];
      return piece === undefined ? range.start : piece.origin + offset - piece.joined;
    },
  };
}
