import { expect, test } from "vitest";
import { createRlimits, UNLIMITED } from "../../../src/runner/spec/rlimits.ts";

test("createRlimits() bounds open files at Docker's number or our own limit", () => {
  const nofile = (hard: number) =>
    createRlimits([], { hardLimits: new Map([["nofile", hard]]), mayRaise: false });
  expect(nofile(20_000)).toEqual([{ type: "RLIMIT_NOFILE", soft: 20_000, hard: 20_000 }]);
  expect(nofile(1e9)).toEqual([{ type: "RLIMIT_NOFILE", soft: 1_048_576, hard: 1_048_576 }]);
});

test("createRlimits() cuts what is asked for to our hard limit, unless we may raise it", () => {
  const asked = [{ name: "nofile", soft: 50, hard: 9000 }];
  const hardLimits = new Map([["nofile", 4000]]);
  expect(createRlimits(asked, { hardLimits, mayRaise: false })).toEqual([
    { type: "RLIMIT_NOFILE", soft: 50, hard: 4000 },
  ]);
  expect(createRlimits(asked, { hardLimits, mayRaise: true })).toEqual([
    { type: "RLIMIT_NOFILE", soft: 50, hard: 9000 },
  ]);
});

test("createRlimits() marks what has no limit", () => {
  const [, core] = createRlimits([{ name: "core", soft: -1, hard: -1 }], {
    hardLimits: new Map(),
    mayRaise: false,
  });
  expect(core).toEqual({ type: "RLIMIT_CORE", soft: UNLIMITED, hard: UNLIMITED });
});
