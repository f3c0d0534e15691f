import { FAILURE_PREFIX } from "./runtime-failure.ts";

export type OutputListener = (stream: "stdout" | "stderr", chunk: Uint8Array) => void;

/**
 * Passes a command's output on as it comes, except for one case: runc prints its own failure on the stderr that it
 * shares with the command, before any of the command's. So stderr that begins like that is held back until it
 * is known whose it is.
 */
export class OutputGate {
  readonly #listener: OutputListener;
  readonly #held: Uint8Array[] = [];
  #isOpen = false;

  constructor(listener: OutputListener) {
    this.#listener = listener;
  }

  write(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    if (this.#isOpen || stream === "stdout") {
      this.#listener(stream, chunk);
      return;
    }
    this.#held.push(chunk);
    const text = Buffer.concat(this.#held).toString("latin1", 0, FAILURE_PREFIX.length);
    if (!text.startsWith(FAILURE_PREFIX.slice(0, text.length))) this.open();
  }

  /** It was the command's: delivers what was held, and everything from now on. */
  open(): void {
    this.#isOpen = true;
    for (const chunk of this.#held.splice(0)) this.#listener("stderr", chunk);
  }
}
