import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { freePort, hasRegistry, startRegistry } from "../support/registry-server.ts";
import { describeBuilds } from "./support/describe-builds.ts";
import { stepsOf } from "./support/workbench.ts";

describeBuilds("strake build, when something is wrong", (bench) => {
  it("says that the context is not there", async () => {
    const { code, stderr } = await bench().strake(["build", join(bench().folder, "nowhere")]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Cannot use context ".*nowhere": there is no such folder/);
    expectNoStack(stderr);
  });

  it("says that the Dockerfile is not there", async () => {
    const { code, stderr } = await bench().build();
    expect(code).toBe(1);
    expect(stderr).toMatch(/Dockerfile.*no such file or directory/);
    expectNoStack(stderr);
  });

  it("names the stages when the target is none of them", async () => {
    await bench().write("Dockerfile", "FROM base AS builder\nFROM base AS runtime\n");
    const { code, stderr } = await bench().build(["--target", "bulder"]);
    expect(code).toBe(1);
    expect(stderr).toContain('target stage "bulder" could not be found');
    expect(stderr).toContain("(did you mean builder?)");
  });

  it("shows a failing RUN's exit code, output and line, and keeps what was finished", async () => {
    await bench().write(
      "Dockerfile",
      "FROM base\nRUN echo fine > /fine\n\nRUN echo about to fail; echo details >&2; exit 3\n",
    );
    const failed = await bench().build();
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("exit code: 3");
    expect(failed.stderr).toContain("about to fail");
    expect(failed.stderr).toContain("details");
    expect(failed.stderr).toContain("Dockerfile:4");
    expectNoStack(failed.stderr);
    const again = await bench().build();
    expect(stepsOf(again.stderr).get("RUN echo fine > /fine")).toBe("CACHED");
  });

  it.each([
    [
      'RUN ["/no/such/program"]',
      "stat /no/such/program: no such file or directory",
      "The image has no program",
    ],
    ['RUN ["cd / && ls"]', "no such file or directory", "only the shell form knows &&"],
    ['SHELL ["/bin/bash", "-c"]\nRUN true', "stat /bin/bash: no such file", "set another shell with SHELL"],
    ["RUN no-such-command", "exit code: 127", "a command was not found in the image"],
    ['RUN ["echo" "a"]', "exit code: 127", "are all commas and quotes there?"],
  ])("says why there is no command to run: %j", async (lines, message, hint) => {
    await bench().write("Dockerfile", `FROM base\n${lines}\n`);
    const { code, stderr } = await bench().build();
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(new RegExp(`^hint: .*${hint.replaceAll("?", "\\?")}`, "m"));
    expect(stderr).toContain(`Dockerfile:${lines.split("\n").length + 1}`);
    expectNoStack(stderr);
  });

  it("says that a COPY source is not there, and why: the line that excludes it", async () => {
    await bench().write("wanted.txt", "x");
    await bench().write(".dockerignore", "*.md\nwanted*\n");
    await bench().write("Dockerfile", "FROM base\nCOPY wanted.txt /\n");
    const { code, stderr } = await bench().build();
    expect(code).toBe(1);
    expect(stderr).toContain('"/wanted.txt": not found');
    expect(stderr).toContain(".dockerignore line 2");
    expect(stderr).toContain("Dockerfile:2");
  });

  it("points into the line that cannot be parsed", async () => {
    await bench().write("Dockerfile", "FROM base\nRNU true\n");
    const { code, stderr } = await bench().build();
    expect(code).toBe(1);
    expect(stderr).toContain("unknown instruction: RNU");
    expect(stderr).toContain("RUN");
    expect(stderr).toContain("Dockerfile:2");
    expectNoStack(stderr);
  });

  it("says that no registry answers", async () => {
    const port = await freePort();
    await bench().write("Dockerfile", `FROM 127.0.0.1:${port}/library/base:1\n`);
    const { code, stderr } = await bench().build();
    expect(code).toBe(1);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toMatch(/refused|unreachable|cannot connect/i);
    expect(stderr).toContain("Dockerfile:1");
    expectNoStack(stderr);
  });

  it.skipIf(!hasRegistry || spawnSync("htpasswd", ["-h"]).error !== undefined)(
    "says that a password was refused, and never shows it",
    async () => {
      await using registry = await startRegistry({}, async (folder) => {
        const file = join(folder, "htpasswd");
        await writeFile(file, execFileSync("htpasswd", ["-Bbn", "alice", "right"], { encoding: "utf8" }));
        return { extra: `auth: {htpasswd: {realm: test, path: ${JSON.stringify(file)}}}` };
      });
      const docker = join(bench().folder, "docker-config");
      await mkdir(docker, { recursive: true });
      const auth = Buffer.from("alice:wrong-password").toString("base64");
      await writeFile(join(docker, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
      await bench().write("Dockerfile", `FROM ${registry.host}/private/base:1\n`);
      const { code, stderr } = await bench().build([], { env: { DOCKER_CONFIG: docker } });
      expect(code).toBe(1);
      expect(stderr).toMatch(/401|refused|credentials|unauthorized/i);
      expect(stderr).not.toContain("wrong-password");
      expect(stderr).not.toContain(auth);
      expectNoStack(stderr);
    },
  );

  it.skipIf(!hasRegistry)("refuses a base layer whose bytes were changed, naming both digests", async () => {
    await using registry = await startRegistry();
    await bench().write("Dockerfile", "FROM base\nRUN echo layer > /layer\n");
    const name = `${registry.host}/damaged/base:1`;
    expect((await bench().build(["-t", name, "--push"])).code).toBe(0);
    await damageLargestBlob(registry.root);
    await bench().write("Dockerfile", `FROM ${name}\nRUN true\n`);
    const { code, stderr } = await bench().build([], { store: join(bench().folder, "other-store") });
    expect(code).toBe(1);
    expect(stderr).toMatch(/sha256:[0-9a-f]{64}/);
    expect(stderr).toMatch(/digest|corrupt/i);
    expectNoStack(stderr);
  });

  it("says that the disk is full, and goes on from there once there is room", async () => {
    const mount = join(bench().folder, "small");
    await mkdir(mount);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", mount]);
    try {
      const store = join(mount, "store");
      await bench().write(
        "Dockerfile",
        "FROM base\nRUN echo small > /small\nRUN head -c 60000000 /dev/zero > /big\n",
      );
      const failed = await bench().build([], { store });
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/no space left/i);
      expectNoStack(failed.stderr);
      execFileSync("mount", ["-o", "remount,size=300m", mount]);
      const again = await bench().build([], { store });
      expect(again.code).toBe(0);
      expect(Object.fromEntries(stepsOf(again.stderr))).toEqual({
        "RUN echo small > /small": "CACHED",
        "RUN head -c 60000000 /dev/zero > /big": "DONE",
      });
    } finally {
      execFileSync("umount", [mount]);
    }
  });

  it("keeps finished steps and leaves nothing behind when it is killed", async () => {
    const marker = `marker-${process.pid}-${Date.now()}`;
    await bench().write("Dockerfile", `FROM base\nRUN echo done > /done\nRUN echo ${marker}; sleep 300\n`);
    const child = bench().start(bench().buildArgs(["--progress", "plain"]));
    await waitForText(child.stderr, `${marker}\n`);
    child.kill("SIGKILL");
    await once(child, "close");
    await waitUntil(() => !processesMention(marker));
    const mounts = await readFile("/proc/mounts", "utf8");
    expect(mounts).not.toContain(bench().store);
    await bench().write("Dockerfile", `FROM base\nRUN echo done > /done\n`);
    const again = await bench().build();
    expect(stepsOf(again.stderr).get("RUN echo done > /done")).toBe("CACHED");
    expect(await readdir(join(bench().store, "tmp"))).toEqual([]);
  });

  it("ends at once on Ctrl-C, with everything it started", async () => {
    const marker = `marker-${process.pid}-${Date.now()}`;
    await bench().write("Dockerfile", `FROM base\nRUN echo ${marker}; sleep 300\n`);
    const child = bench().start(bench().buildArgs(["--progress", "plain"]));
    await waitForText(child.stderr, `${marker}\n`);
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).toBe(130);
    expect(processesMention(marker)).toBe(false);
    expect(await readdir(join(bench().store, "tmp"))).toEqual([]);
  });
});

function expectNoStack(text: string): void {
  expect(text).not.toMatch(/^\s+at .*(\.js|\.ts|node:)/m);
}

/** Waits for text that is output of the command, not the command itself. */
async function waitForText(stream: Readable | null, text: string): Promise<void> {
  let seen = "";
  if (stream === null) throw new Error("no output to wait for");
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    seen += String(chunk);
    if (new RegExp(`^#\\d+ [0-9.]+ ${text.trim()}$`, "m").test(seen)) break;
  }
  stream.resume();
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 100) throw new Error("it never came to be");
    await sleep(50);
  }
}

function processesMention(marker: string): boolean {
  return spawnSync("pgrep", ["-f", `^/bin/sh -c .*${marker}`]).status === 0;
}

async function damageLargestBlob(root: string): Promise<void> {
  const found = execFileSync("find", [root, "-name", "data", "-type", "f", "-printf", "%s %p\n"], {
    encoding: "utf8",
  });
  const [largest = ""] = found
    .trim()
    .split("\n")
    .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10));
  const path = largest.slice(largest.indexOf(" ") + 1);
  const bytes = await readFile(path);
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] as number) ^ 0xff;
  await writeFile(path, bytes);
}
