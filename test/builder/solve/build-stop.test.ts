import { describe, expect, it } from "vitest";
import { BuildStop } from "../../../src/builder/solve/build-stop.ts";

describe("BuildStop", () => {
  it("lets nothing begin from the failure on, and what runs go on until it has settled", async () => {
    const stop = new BuildStop(undefined, 60_000);
    const failure = new Error("a step failed");
    let settle = (): void => undefined;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const ended = stop.end(failure, () => settled);
    expect(stop.beginSignal.reason).toBe(failure);
    expect(stop.signal.aborted).toBe(false);
    settle();
    await ended;
    expect(stop.signal.reason).toBe(failure);
  });

  it("stops what runs when the grace is over, and waits for it", async () => {
    const stop = new BuildStop(undefined, 1);
    const failure = new Error("a step failed");
    const settled = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
    await stop.end(failure, () => settled);
    expect(stop.signal.reason).toBe(failure);
  });

  it("has no grace for whoever is stopped from outside, before or during it", async () => {
    const caller = new AbortController();
    const stop = new BuildStop(caller.signal, 60_000);
    const settled = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
    const ended = stop.end(new Error("a step failed"), () => settled);
    caller.abort(new Error("Ctrl-C"));
    await ended;
    expect(stop.signal.reason).toBe(caller.signal.reason);

    const late = new BuildStop(caller.signal, 60_000);
    expect(late.beginSignal.aborted).toBe(true);
    await late.end(new Error("a step failed"), async () => undefined);
  });
});
