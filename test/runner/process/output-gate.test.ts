import { describe, expect, test } from "vitest";
import { OutputGate } from "../../../src/runner/process/output-gate.ts";

function record(hasStarted = () => true): { readonly gate: OutputGate; readonly seen: readonly string[] } {
  const seen: string[] = [];
  const listener = (stream: string, chunk: Uint8Array) => seen.push(`${stream} ${Buffer.from(chunk)}`);
  return { gate: new OutputGate(listener, hasStarted), seen };
}

const write = (gate: OutputGate, stream: "stdout" | "stderr", text: string) =>
  gate.write(stream, Buffer.from(text));

describe("OutputGate", () => {
  test("passes on at once what is plainly the command's", () => {
    const { gate, seen } = record();
    write(gate, "stderr", "r");
    expect(seen).toEqual([]);
    write(gate, "stderr", "eally");
    write(gate, "stdout", "out");
    write(gate, "stderr", "runc run failed: x");
    expect(seen).toEqual(["stderr r", "stderr eally", "stdout out", "stderr runc run failed: x"]);
  });

  test("holds back what begins as the runtime's failures do, in however many pieces, until it is opened", () => {
    const { gate, seen } = record();
    for (const piece of ["ru", "nc run failed", ": unable", " to start"]) write(gate, "stderr", piece);
    write(gate, "stdout", "out");
    expect(seen).toEqual(["stdout out"]);
    expect(gate.heldText).toBe("runc run failed: unable to start");
    gate.open();
    expect(seen.slice(1).join("|")).toBe("stderr ru|stderr nc run failed|stderr : unable|stderr  to start");
    expect(gate.heldText).toBe("");
  });

  test("holds back what comes from before the runtime's start", () => {
    let hasStarted = false;
    const { gate, seen } = record(() => hasStarted);
    write(gate, "stderr", "unshare: no");
    expect([seen, gate.heldText]).toEqual([[], "unshare: no"]);
    hasStarted = true;
    write(gate, "stderr", "!");
    expect(seen).toEqual(["stderr unshare: no", "stderr !"]);
  });
});
