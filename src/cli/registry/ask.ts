import type { CommandContext } from "../command.ts";
import { Interruption, usageError } from "../error.ts";

/** Longer answers are nothing that a person types. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Asks the person at the terminal. One for a command: what was typed ahead is kept for the next question. */
export class Asker {
  readonly #stdin: CommandContext["stdin"];
  readonly #stderr: CommandContext["stderr"];
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #rest = Buffer.alloc(0);

  constructor({ stdin, stderr }: Pick<CommandContext, "stdin" | "stderr">) {
    this.#stdin = stdin;
    this.#stderr = stderr;
  }

  /** A line that shows while it is typed. */
  async ask(question: string): Promise<string> {
    this.#stderr.write(question);
    let line = Buffer.alloc(0);
    for (;;) {
      const byte = await this.#next();
      if (byte === undefined || byte === NEWLINE) return line.toString("utf8").trim();
      line = Buffer.concat([line, Uint8Array.of(byte)]);
    }
  }

  /** A line that does not show. @throws {Interruption} on Ctrl-C */
  async askSecret(question: string): Promise<string> {
    this.#stderr.write(question);
    this.#stdin.setRawMode?.(true);
    try {
      const typed: number[] = [];
      for (;;) {
        const byte = await this.#next();
        if (byte === undefined || byte === NEWLINE || byte === RETURN || byte === CTRL_D)
          return Buffer.from(typed).toString("utf8");
        if (byte === CTRL_C) throw new Interruption("SIGINT");
        if (byte === CTRL_U) typed.length = 0;
        else if (byte === BACKSPACE || byte === DELETE) dropCharacter(typed);
        else typed.push(byte);
      }
    } finally {
      this.#stdin.setRawMode?.(false);
      this.#stderr.write("\n");
    }
  }

  async #next(): Promise<number | undefined> {
    this.#iterator ??= this.#stdin[Symbol.asyncIterator]();
    while (this.#rest.byteLength === 0) {
      const next = await this.#iterator.next();
      if (next.done === true) return undefined;
      this.#rest = Buffer.from(next.value);
    }
    const [byte] = this.#rest;
    this.#rest = this.#rest.subarray(1);
    return byte;
  }
}

/** All of standard input as one secret, without the newline that `echo` puts behind it. @throws {CliError} USAGE */
export async function readSecretFromStdin(stdin: CommandContext["stdin"]): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES)
      throw usageError(
        `Cannot read a password from standard input: it has more than ${MAX_ANSWER_BYTES} bytes`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

/** The last character's bytes, which in UTF-8 may be several. */
function dropCharacter(typed: number[]): void {
  while (typed.length > 0) {
    const byte = typed.pop() as number;
    if ((byte & 0xc0) !== 0x80) return;
  }
}

const CTRL_C = 3;
const CTRL_D = 4;
const BACKSPACE = 8;
const NEWLINE = 10;
const RETURN = 13;
const CTRL_U = 21;
const DELETE = 127;
