import { StringDecoder } from "node:string_decoder";

/** A line that grows past this is broken: something that writes no newlines must not fill the memory. */
const MAX_LINE_LENGTH = 16 * 1024;

/**
 * Turns what a process writes into lines. Characters split between chunks are joined; of a line that was written
 * over with carriage returns (a progress bar), the last state counts.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  #partial = "";

  /** The lines that `chunk` ends, without their line ends. */
  push(chunk: Uint8Array): string[] {
    const text = this.#partial + this.#decoder.write(chunk as Buffer);
    const lines = text.split("\n");
    this.#partial = lines.pop() ?? "";
    if (this.#partial.length > MAX_LINE_LENGTH) {
      lines.push(this.#partial);
      this.#partial = "";
    }
    return lines.map(lastState);
  }

  /** The line that is still open, as it stands; "" where there is none. */
  get open(): string {
    return lastState(this.#partial);
  }

  /** Ends the line that is open, if there is one. */
  flush(): string[] {
    const rest = this.#partial + this.#decoder.end();
    this.#partial = "";
    return rest === "" ? [] : [lastState(rest)];
  }
}

function lastState(line: string): string {
  const end = line.endsWith("\r") ? line.length - 1 : line.length;
  const start = line.lastIndexOf("\r", end - 1);
  return line.slice(start + 1, end);
}
