import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findEngine } from "../../../src/cli/build/find-engine.ts";
import { startFakeEngine } from "../../support/fake-engine.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "strake-home-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const find = (variables: Readonly<Record<string, string>> = {}) => findEngine({ variables, home });

function writeContext(name: string, host: string): void {
  const id = createHash("sha256").update(name).digest("hex");
  const folder = join(home, ".docker/contexts/meta", id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "meta.json"),
    JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }),
  );
}

describe("findEngine()", () => {
  it.each<[string, object]>([
    ["unix:///run/x.sock", { socketPath: "/run/x.sock" }],
    ["tcp://127.0.0.1:2377", { host: "127.0.0.1", port: 2377 }],
    ["tcp://box", { host: "box", port: 2375 }],
    ["tcp://[::1]:1234", { host: "::1", port: 1234 }],
  ])("takes DOCKER_HOST=%s", async (address, at) => {
    expect(await find({ DOCKER_HOST: address })).toEqual({ shownAs: address, at });
  });

  it.each([["ssh://me@box"], ["npipe:////./pipe/docker"], ["unix://relative"]])(
    "refuses DOCKER_HOST=%s",
    async (address) => {
      await expect(find({ DOCKER_HOST: address })).rejects.toMatchObject({ code: "UNSUPPORTED" });
    },
  );

  it("refuses an engine behind TLS", async () => {
    const variables = { DOCKER_HOST: "tcp://box:2376", DOCKER_TLS_VERIFY: "1" };
    await expect(find(variables)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it("takes Docker's current context, and the one that $DOCKER_CONTEXT names before it", async () => {
    writeContext("colima", "unix:///colima.sock");
    writeContext("other", "unix:///other.sock");
    writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ currentContext: "colima" }));
    expect((await find())?.shownAs).toBe("unix:///colima.sock");
    expect((await find({ DOCKER_CONTEXT: "other" }))?.shownAs).toBe("unix:///other.sock");
    expect((await find({ DOCKER_HOST: "unix:///d.sock", DOCKER_CONTEXT: "other" }))?.shownAs).toBe(
      "unix:///d.sock",
    );
  });

  it("refuses a context that is not there", async () => {
    await expect(find({ DOCKER_CONTEXT: "gone" })).rejects.toMatchObject({ code: "INPUT_UNUSABLE" });
  });

  it("takes CONTAINER_HOST where nothing of Docker's is set", async () => {
    expect((await find({ CONTAINER_HOST: "unix:///podman.sock" }))?.shownAs).toBe("unix:///podman.sock");
  });

  it("passes by a socket that nobody listens on", async () => {
    await using engine = await startFakeEngine();
    const runtime = join(home, "run");
    mkdirSync(join(runtime, "podman"), { recursive: true });
    const { symlinkSync } = await import("node:fs");
    symlinkSync(engine.socketPath, join(runtime, "podman/podman.sock"));
    writeFileSync(join(runtime, "docker.sock"), "");
    const found = await find({ XDG_RUNTIME_DIR: runtime });
    // A machine with a Docker of its own has that one first.
    expect(["unix:///var/run/docker.sock", `unix://${runtime}/podman/podman.sock`]).toContain(found?.shownAs);
  });
});
