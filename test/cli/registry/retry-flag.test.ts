import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FaultProxy, startProxy } from "../../support/registry-proxy.ts";
import { runCli } from "../run-cli.ts";

describe("--retry-timeout", () => {
  let registry: FaultProxy;
  let tags = 0;
  let failures = 0;
  beforeAll(async () => {
    registry = await startProxy();
    registry.rule = ({ path }) => {
      if (!path.includes("/tags/")) return { kind: "answer", status: 200 };
      tags++;
      return tags > failures
        ? { kind: "answer", status: 200, body: '{"tags":["1"]}' }
        : { kind: "answer", status: 503, headers: { "retry-after": "0" } };
    };
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(() => {
    tags = 0;
    failures = Number.POSITIVE_INFINITY;
  });
  const strake = (argv: readonly string[], env: Record<string, string> = {}) =>
    runCli(["registry", "tags", `${registry.host}/team/app`, ...argv], { env });

  it("of 0 tries once, also when it is the environment that says so", async () => {
    expect(await strake(["--retry-timeout", "0"])).toMatchObject({ code: 1 });
    expect(tags).toBe(1);
    expect(await strake([], { STRAKE_RETRY_TIMEOUT: "0" })).toMatchObject({ code: 1 });
    expect(tags).toBe(2);
  });

  it("wins over the environment", async () => {
    failures = 1;
    const done = await strake(["--retry-timeout=1m"], { STRAKE_RETRY_TIMEOUT: "0" });
    expect(done).toMatchObject({ code: 0, stdout: "1\n" });
    expect(tags).toBe(2);
  });

  it("must be a duration", async () => {
    expect(await strake(["--retry-timeout", "soon"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Cannot read --retry-timeout "soon" as a duration'),
    });
    expect(await strake([], { STRAKE_RETRY_TIMEOUT: "soon" })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Cannot read $STRAKE_RETRY_TIMEOUT "soon" as a duration'),
    });
    expect(tags).toBe(0);
  });
});
