import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readCgroupFacts } from "../../src/runner/host/cgroup-facts.ts";
import { describeForEveryone } from "../runner/for-everyone.ts";
import { sh } from "../runner/sandbox-world.ts";

/** A number of seconds that no other process sleeps for: by it the processes of a test are found. */
function makeToken(): string {
  return String(100_000 + Math.floor(Math.random() * 1e9));
}

/** Pids of the processes whose command line contains the text. */
function findProcesses(text: string): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").join(" ").includes(text);
      } catch {
        return false; // no process, or it has ended meanwhile
      }
    });
}

function hasArgument(text: string): (pid: number) => boolean {
  return (pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes(text);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("It has not come true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Mounts at or below a folder: others come and go by other tests. */
function listMounts(folder: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(folder));
}

/** Folders of control groups that runs with these folders in `tempDir` have. */
function findCgroups(runs: Iterable<string>): readonly string[] {
  const { folders } = readCgroupFacts();
  return Array.from(runs).flatMap((run) =>
    folders.map((folder) => `${folder}/strake-${run}`).filter((path) => existsSync(path)),
  );
}

describeForEveryone("the life of a sandbox", (world) => {
  test("ends at an abort with all its processes gone, and nothing left", async () => {
    const token = makeToken();
    const running = await world().start(
      sh(`trap '' TERM INT HUP; setsid sleep ${token} & sleep ${token} & echo started; wait`),
    );
    await running.waitFor("started");
    await until(() => findProcesses(`sleep ${token}`).length >= 2);
    const runs = world().leftovers();
    expect(runs).toHaveLength(1);
    running.abort();
    await expect(running.outcome).rejects.toThrow("stopped by the test");
    expect(findProcesses(`sleep ${token}`)).toEqual([]);
    expect(world().leftovers()).toEqual([]);
    expect(findCgroups(runs)).toEqual([]);
  });

  test("can be aborted at any moment of its start", async () => {
    const token = makeToken();
    const runs = new Set<string>();
    for (let delayMs = 0; delayMs < 60; delayMs += 3) {
      const running = await world().start(sh(`sleep ${token}`));
      const outcome = expect(running.outcome).rejects.toThrow("stopped by the test");
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      for (const run of world().leftovers()) runs.add(run);
      running.abort();
      await outcome;
      expect(findProcesses(`sleep ${token}`)).toEqual([]);
    }
    expect(world().leftovers()).toEqual([]);
    expect(findCgroups(runs)).toEqual([]);
  });

  test.each(["the process that was started", "the process that runs it"])(
    "ends when %s is killed by SIGKILL",
    async (which) => {
      const token = makeToken();
      const driver = world().startDriver(token);
      const spec = await world().makeSpec(
        sh(`trap '' TERM INT HUP; setsid sleep ${token} & sleep ${token}; sleep ${token}`),
      );
      driver.stdin?.write(`${JSON.stringify({ op: "run", id: 1, spec })}\n`);
      await until(() => findProcesses(`sleep ${token}`).length >= 3);
      if (which === "the process that was started") driver.kill("SIGKILL");
      else
        process.kill(Math.max(...findProcesses("sandbox-driver.mjs").filter(hasArgument(token))), "SIGKILL");
      await until(() => findProcesses(token).length === 0);
      await world().shell(`rm -rf ${world().tempDir}/*`);
    },
  );

  test("goes on beside others", async () => {
    const upper = await Promise.all([0, 1, 2, 3].map(() => world().layer()));
    const outcomes = await Promise.all(
      upper.map((folder, i) =>
        world().run({ ...sh(`echo ${i} > /file; sleep 0.1; cat /file`), upper: folder }),
      ),
    );
    expect(outcomes.map(({ stdout }) => stdout)).toEqual(["0\n", "1\n", "2\n", "3\n"]);
  });

  test("leaves no mount and no folder behind", async () => {
    const before = listMounts(world().folder);
    await world().run({ argv: ["true"], mounts: [{ kind: "tmpfs", target: "/t" }] });
    await world().run({ argv: ["false"] });
    await world()
      .run({ argv: ["nowhere"] })
      .catch(() => undefined);
    expect(listMounts(world().folder)).toEqual(before);
    expect(world().leftovers()).toEqual([]);
  });
});
