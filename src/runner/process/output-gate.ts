import { FAILURE_PREFIX } from "./runtime-failure.ts";

export type OutputListener = (stream: "stdout" | "stderr", chunk: Uint8Array) => void;

/**
 * Passes a command's output on as it comes, but for what is not the command's: the programs that set the container up
 * print their complaints on the stderr that they share with it, before any of the command's. So stderr is held back
 * while it comes from before the runtime's start, or begins as the runtime's own failure does, until it is known whose
 * it is.
 */
export class OutputGate {
  readonly #listener: OutputListener;
  readonly #hasStarted: () => boolean;
  readonly #held: Uint8Array[] = [];
  #isOpen = false;

  /** @param hasStarted whether the runtime runs yet, or has run */
  constructor(listener: OutputListener, hasStarted: () => boolean) {
    this.#listener = listener;
    this.#hasStarted = hasStarted;
  }

  write(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    if (this.#isOpen || stream === "stdout") {
      this.#listener(stream, chunk);
      return;
    }
    this.#held.push(chunk);
    const text = Buffer.concat(this.#held).toString("latin1", 0, FAILURE_PREFIX.length);
    if (!text.startsWith(FAILURE_PREFIX.slice(0, text.length)) && this.#hasStarted()) this.open();
  }

  /** It was the command's: delivers what was held, and everything from now on. */
  open(): void {
    this.#isOpen = true;
    for (const chunk of this.#held.splice(0)) this.#listener("stderr", chunk);
  }

  /** What is held back. */
  get heldText(): string {
    return Buffer.concat(this.#held).toString("utf8");
  }
}
