import { expect, test } from "vitest";
import type { ProgressEvent } from "../../../src/builder/events.ts";
import { reportTransfer } from "../../../src/builder/remote/index.ts";

test("reportTransfer() has one line for a request that was told to wait", () => {
  const lines: string[] = [];
  const onEvent = (event: ProgressEvent): void => {
    if (event.kind === "step-output") lines.push(Buffer.from(event.chunk).toString());
  };
  const registry = "registry.example.com";
  const reason = "it answered 429";
  reportTransfer({ kind: "waiting", registry, waitMs: 1000, reason }, "pulling", onEvent);
  reportTransfer(
    { kind: "retried", registry, request: "GET x", attempt: 1, waitMs: 1000, reason },
    "pulling",
    onEvent,
  );
  expect(lines).toEqual(["GET x again in 1.0s: it answered 429\n"]);
});
