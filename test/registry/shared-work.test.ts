import { describe, expect, test } from "vitest";
import { SharedWork } from "../../src/registry/shared-work.ts";

/** Work that ends when the test says so, with its starts and stops. */
function controlled() {
  const runs: { readonly signal: AbortSignal; end(value: string): void; fail(error: Error): void }[] = [];
  const shared = new SharedWork(
    (signal) =>
      new Promise<string>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        runs.push({ signal, end: resolve, fail: reject });
      }),
  );
  return { shared, runs };
}

describe("SharedWork", () => {
  test("is done once for all that wait, and kept", async () => {
    const { shared, runs } = controlled();
    const waiting = [shared.join(undefined), shared.join(new AbortController().signal)];
    expect(shared.isAwaited).toBe(true);
    runs[0]?.end("done");
    expect(await Promise.all(waiting)).toEqual(["done", "done"]);
    expect(await shared.join(undefined)).toBe("done");
    expect(runs).toHaveLength(1);
    expect(shared.isAwaited).toBe(false);
  });

  test("goes on when one of two leaves, and stops when the last one does", async () => {
    const { shared, runs } = controlled();
    const first = new AbortController();
    const second = new AbortController();
    const waiting = [shared.join(first.signal), shared.join(second.signal)];
    const settled = Promise.allSettled(waiting);
    first.abort(new Error("first"));
    await expect(waiting[0]).rejects.toThrow("first");
    expect(runs[0]?.signal.aborted).toBe(false);
    second.abort(new Error("second"));
    await settled;
    expect(runs[0]?.signal.reason).toEqual(new Error("second"));
  });

  test("begins anew after it was stopped, and after a failure", async () => {
    const { shared, runs } = controlled();
    const controller = new AbortController();
    const left = shared.join(controller.signal);
    controller.abort(new Error("enough"));
    await expect(left).rejects.toThrow("enough");
    const failed = shared.join(undefined);
    runs[1]?.fail(new Error("broken"));
    await expect(failed).rejects.toThrow("broken");
    const done = shared.join(undefined);
    runs[2]?.end("done");
    expect(await done).toBe("done");
  });

  test("is not begun for somebody who has left already", async () => {
    const { shared, runs } = controlled();
    await expect(shared.join(AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
    expect(runs).toEqual([]);
  });
});
