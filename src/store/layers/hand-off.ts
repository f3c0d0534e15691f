/**
 * Turns calls into an iterable: `give` waits until its value has been taken, so at most one is ever held. One giver,
 * one taker.
 */
export class HandOff<T> implements AsyncIterable<T> {
  #offer: { readonly value: T; readonly taken: () => void } | undefined;
  #outcome: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #isLeft = false;

  /** @throws {HandOffLeft} when the taker has gone */
  async give(value: T): Promise<void> {
    if (this.#isLeft) throw new HandOffLeft();
    await new Promise<void>((taken) => {
      this.#offer = { value, taken };
      this.#wake?.();
    });
    if (this.#isLeft) throw new HandOffLeft();
  }

  /** No more values. */
  end(): void {
    this.#outcome ??= {};
    this.#wake?.();
  }

  /** No more values; the taker gets the error. */
  fail(error: unknown): void {
    this.#outcome ??= { error };
    this.#wake?.();
  }

  /** The taker wants no more: whoever gives gets an error. */
  leave(): void {
    this.#isLeft = true;
    this.#offer?.taken();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const offer = this.#offer;
      if (offer !== undefined) {
        let isUsed = false;
        try {
          yield offer.value;
          isUsed = true;
        } finally {
          if (!isUsed) this.#isLeft = true;
          this.#offer = undefined;
          offer.taken();
        }
      } else if (this.#outcome !== undefined) {
        if ("error" in this.#outcome) throw this.#outcome.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}

/** The taker of a hand-off has gone; never seen outside. */
class HandOffLeft extends Error {}
