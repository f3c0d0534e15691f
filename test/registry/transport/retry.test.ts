import { describe, expect, test } from "vitest";
import { HostGate } from "../../../src/registry/transport/host-gate.ts";
import { NetworkError, toNetworkError } from "../../../src/registry/transport/network-error.ts";
import {
  backoffMs,
  DEFAULT_RETRY_POLICY,
  isRetriedFault,
  isRetriedStatus,
  parseRetryAfter,
  RetryBudget,
  retryFor,
} from "../../../src/registry/transport/retry.ts";
import { ManualClock } from "../../support/registry-clock.ts";

test("retried statuses are those that pass", () => {
  for (const status of [408, 425, 429, 499, 500, 502, 503, 504, 520, 524])
    expect(isRetriedStatus(status)).toBe(true);
  for (const status of [200, 301, 400, 401, 403, 404, 405, 416, 501, 505])
    expect(isRetriedStatus(status)).toBe(false);
});

describe("parseRetryAfter()", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  test.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ["1", 1000],
    [" 120 ", 120_000],
    ["0", 0],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Thu, 01 Jan 2026 00:00:30 +0000", 30_000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["", undefined],
  ])("%j is %s", (text, expected) => {
    expect(parseRetryAfter(text, now)).toBe(expected);
  });
});

describe("isRetriedFault()", () => {
  const at = (code: string, attempt = 1, loopback = false) => {
    const error = toNetworkError(Object.assign(new Error("x"), { code }));
    return isRetriedFault(error, { attempt, loopback });
  };
  test.each([
    ["ECONNRESET", true],
    ["EPIPE", true],
    ["ETIMEDOUT", true],
    ["EAI_AGAIN", true],
    ["UND_ERR_SOCKET", true],
    ["HPE_INVALID_CONSTANT", true],
    ["ECONNREFUSED", true],
    ["CERT_HAS_EXPIRED", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", false],
    ["EPROTO", false],
    ["SOMETHING", false],
  ])("%s: %s", (code, expected) => {
    expect(at(code)).toBe(expected);
  });
  test("nobody listening on this machine is final; an unknown name is looked up twice", () => {
    expect(at("ECONNREFUSED", 1, true)).toBe(false);
    expect(at("ENOTFOUND", 1)).toBe(true);
    expect(at("ENOTFOUND", 2)).toBe(false);
  });
});

test("toNetworkError() looks into errors of several addresses and their causes", () => {
  const refused = Object.assign(new Error("a"), { code: "ECONNREFUSED" });
  expect(toNetworkError(new AggregateError([refused])).fault).toBe("refused");
  expect(toNetworkError(new Error("fetch failed", { cause: refused })).fault).toBe("refused");
  const own = new NetworkError("tls", "x");
  expect(toNetworkError(own)).toBe(own);
});

describe("RetryBudget", () => {
  test("ends after ten tries, doubles its delays, and starts anew with progress", () => {
    const budget = new RetryBudget(DEFAULT_RETRY_POLICY, new ManualClock());
    const delays = Array.from({ length: 10 }, () => budget.fail());
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, undefined]);
    budget.progress();
    expect(budget.fail()).toBe(250);
  });

  test("waits at least as long as asked", () => {
    expect(new RetryBudget(DEFAULT_RETRY_POLICY, new ManualClock()).fail(7000)).toBe(7000);
  });

  test("ends ten minutes after the first failure, unless something got on meanwhile", async () => {
    const clock = new ManualClock();
    const budget = new RetryBudget(DEFAULT_RETRY_POLICY, clock);
    await clock.advance(3_600_000);
    expect(budget.fail()).toBe(250);
    await clock.advance(599_400);
    expect(budget.fail()).toBe(500);
    await clock.advance(200);
    expect(budget.fail()).toBeUndefined();
    budget.progress();
    expect(budget.fail()).toBe(250);
  });

  test("work in vain is not counted as time, but as a try", async () => {
    const clock = new ManualClock();
    const budget = new RetryBudget(DEFAULT_RETRY_POLICY, clock);
    for (let tries = 1; tries < DEFAULT_RETRY_POLICY.maxAttempts; tries++) {
      await clock.advance(1_200_000);
      budget.worked();
      expect(budget.fail()).toBeGreaterThan(0);
    }
    budget.worked();
    expect(budget.fail()).toBeUndefined();
  });

  test("with a time of one's own it is only the time that ends it", async () => {
    const clock = new ManualClock();
    const budget = new RetryBudget({ ...DEFAULT_RETRY_POLICY, ...retryFor(3_600_000) }, clock);
    let tries = 0;
    for (let waitMs = budget.fail(); waitMs !== undefined; waitMs = budget.fail(), tries++)
      await clock.advance(waitMs);
    expect(tries).toBeGreaterThan(400);
    expect(tries).toBeLessThan(500);
  });

  test("with no time at all everything is tried once", () => {
    expect(
      new RetryBudget({ ...DEFAULT_RETRY_POLICY, ...retryFor(0) }, new ManualClock()).fail(),
    ).toBeUndefined();
  });

  test("backoffMs() is bounded", () => {
    expect(backoffMs(50, DEFAULT_RETRY_POLICY, 1)).toBe(8000);
  });
});

test("HostGate holds everybody back until it opens", async () => {
  const clock = new ManualClock();
  const gate = new HostGate(clock);
  await gate.pass();
  expect(gate.close(5000)).toBe(5000);
  expect(gate.close(1000)).toBe(5000);
  const passed: number[] = [];
  const waiters = [1, 2, 3].map((n) => gate.pass().then(() => void passed.push(n)));
  await clock.advance(4999);
  expect(passed).toEqual([]);
  await clock.advance(1);
  await Promise.all(waiters);
  expect(passed).toEqual([1, 2, 3]);
});

test("HostGate refuses to wait longer than it may, and lets nothing through meanwhile", async () => {
  const clock = new ManualClock();
  const gate = new HostGate(clock, 60_000);
  gate.close(3_600_000);
  await expect(gate.pass()).rejects.toMatchObject({
    fault: "paused",
    message: "it wants to be asked again in 3600 s",
  });
  await clock.advance(3_600_000);
  await gate.pass();
});

test("HostGate lets an aborted waiter go with its reason", async () => {
  const gate = new HostGate(new ManualClock());
  gate.close(5000);
  const controller = new AbortController();
  const waiting = gate.pass(controller.signal);
  controller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
});
