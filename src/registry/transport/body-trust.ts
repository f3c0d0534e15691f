import type { ExpectContinue } from "./exchange.ts";
import { isRetriedStatus } from "./retry.ts";

/** While a host is in trouble also bodies of this size are worth a round trip. */
const TROUBLED_BYTES = 16 * 1024;
const TROUBLED_TIMEOUT_MS = 1000;
/** A host that has taken none of our large bodies is asked about the first from here on. */
const NEW_BYTES = 256 * 1024;
/** It has so many round trips of its own to say that it wants it: servers that don't know the question keep silent. */
const NEW_ROUND_TRIPS = 4;
const LEAST_NEW_TIMEOUT_MS = 50;

/**
 * Whether a host is asked if it wants a body before it is sent one. In vain a body goes out whole where a refusal comes at
 * once but is read late. So the first large one is asked about, and after a failure every one; nothing in between, as
 * asking costs a round trip.
 */
export class BodyTrust {
  #state: "new" | "proven" | "troubled" = "new";
  #knowsExpect = true;
  #roundTripMs = 0;

  /** What the next body is to wait for. */
  get expectation(): ExpectContinue | undefined {
    if (!this.#knowsExpect) return undefined;
    switch (this.#state) {
      case "proven":
        return undefined;
      case "troubled":
        return { leastBytes: TROUBLED_BYTES, timeoutMs: TROUBLED_TIMEOUT_MS };
      case "new": {
        const timeoutMs = Math.max(LEAST_NEW_TIMEOUT_MS, NEW_ROUND_TRIPS * this.#roundTripMs);
        return { leastBytes: NEW_BYTES, timeoutMs: Math.min(timeoutMs, TROUBLED_TIMEOUT_MS) };
      }
      default:
        return this.#state satisfies never;
    }
  }

  /** An answer to a request whose body had so many bytes; undefined where nobody knew. */
  answered(status: number, body: { readonly bytes: number | undefined }, durationMs: number): void {
    const { bytes } = body;
    if (bytes === 0) this.#roundTripMs = durationMs;
    if (isRetriedStatus(status)) this.#state = "troubled";
    else if (this.#state === "new" && status < 300 && (bytes === undefined || bytes >= NEW_BYTES))
      this.#state = "proven";
  }

  /** A request to it got no answer. */
  failed(): void {
    this.#state = "troubled";
  }

  /** It refused the question: 417. */
  refusedQuestion(): void {
    this.#knowsExpect = false;
  }
}
