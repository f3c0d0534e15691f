import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProgressEvent } from "../../../src/builder/events.ts";
import {
  BuildRecorder,
  findBuilds,
  listBuilds,
  pruneRecords,
  RecordPaths,
  readSteps,
} from "../../../src/builder/records/index.ts";
import { StepLog } from "../../../src/builder/records/step-log.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const DAY = 24 * 60 * 60 * 1000;

describe("records of builds", () => {
  let root: string;
  let failures: unknown[];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "strake-records-"));
    await mkdir(join(root, "tmp"));
    failures = [];
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  function record(nowMs = NOW, storeRoot = root): BuildRecorder {
    return new BuildRecorder({
      storeRoot,
      subject: { dockerfile: "Dockerfile", context: "/app", names: ["app:latest"] },
      now: () => nowMs,
      monotonic: () => 1000,
      onFailure: (error) => failures.push(error),
    });
  }

  const theBuild = (id: string) => listBuilds(root).find((build) => build.id === id);

  it("tell a build's steps, how each ended, and every byte that they wrote", async () => {
    const recorder = record();
    recorder.onEvent(started("a", "[1/2] FROM base", 1000));
    recorder.onEvent(finished("a", "cached", 1000));
    recorder.onEvent(started("b", "[2/2] RUN make", 1010));
    recorder.onEvent(wrote("b", Buffer.from([0xff, 0x00, 0x0a])));
    recorder.onEvent(wrote("b", Buffer.from("no newline at the end")));
    recorder.onEvent(finished("b", "failed", 3010));
    recorder.end({ status: "failed", error: "exit code: 2" });

    const build = theBuild(recorder.id);
    expect(build).toMatchObject({ status: "failed", error: "exit code: 2", dockerfile: "Dockerfile" });
    expect(build === undefined ? [] : readSteps(root, build)).toEqual([
      { number: 1, name: "[1/2] FROM base", outcome: "cached", startedMs: 0, durationMs: 0, ...bytes(0) },
      { number: 2, name: "[2/2] RUN make", outcome: "failed", startedMs: 10, durationMs: 2000, ...bytes(24) },
    ]);
    const log = await readFile(recorder.paths.log(2));
    expect(log).toEqual(
      Buffer.concat([Buffer.from([0xff, 0x00, 0x0a]), Buffer.from("no newline at the end")]),
    );
    expect(existsSync(recorder.paths.log(1))).toBe(false);
  });

  it("can be read while the build runs", () => {
    const recorder = record();
    recorder.onEvent(started("a", "RUN sleep 1", 1000));
    recorder.onEvent(wrote("a", Buffer.from("so far")));
    const build = theBuild(recorder.id);
    expect(build?.status).toBe("running");
    expect(build === undefined ? [] : readSteps(root, build)).toMatchObject([{ outcome: "running" }]);
    recorder.end({ status: "done" });
  });

  it("of a build whose process is gone say that it was interrupted, and pass over a line that was cut", async () => {
    const recorder = record();
    recorder.onEvent(started("a", "RUN sleep 1", 1000));
    recorder.end({ status: "done" });
    const document = JSON.parse(await readFile(recorder.paths.build, "utf8")) as Record<string, unknown>;
    const gone = { ...document, status: "running", process: { pid: process.pid, startTicks: "1" } };
    await writeFile(recorder.paths.build, JSON.stringify(gone));
    await appendFile(recorder.paths.steps, '{"event":"started","num');
    const build = theBuild(recorder.id);
    expect(build?.status).toBe("interrupted");
    expect(build === undefined ? [] : readSteps(root, build)).toMatchObject([{ outcome: "interrupted" }]);
  });

  it("are listed from the newest on and found by the beginning of an ID or by their distance from the last", () => {
    const [first, second, third] = [record(NOW), record(NOW + 2000), record(NOW + 1000)];
    for (const recorder of [first, second, third]) recorder.end({ status: "done" });
    const builds = listBuilds(root);
    expect(builds.map(({ id }) => id)).toEqual([second.id, third.id, first.id]);
    expect(findBuilds(builds, first.id.slice(0, 6)).map(({ id }) => id)).toEqual([first.id]);
    expect(findBuilds(builds, "^1").map(({ id }) => id)).toEqual([third.id]);
    expect(findBuilds(builds, "^3")).toEqual([]);
  });

  it("that cannot be written are reported once and let the build go on", async () => {
    await writeFile(join(root, "builds"), "a file where the folder should be");
    const recorder = record();
    recorder.onEvent(started("a", "RUN true", 1000));
    recorder.onEvent(wrote("a", Buffer.from("text")));
    recorder.end({ status: "done" });
    expect(failures).toHaveLength(1);
  });

  it("hold nothing that others on the machine can read", async () => {
    const recorder = record();
    recorder.onEvent(started("a", "RUN true", 1000));
    recorder.onEvent(wrote("a", Buffer.from("text")));
    recorder.end({ status: "done" });
    const { stat } = await import("node:fs/promises");
    for (const path of [
      recorder.paths.folder,
      recorder.paths.build,
      recorder.paths.steps,
      recorder.paths.log(1),
    ])
      expect((await stat(path)).mode & 0o077, path).toBe(0);
  });

  describe("when they are pruned", () => {
    const limits = { maxBuilds: 3, maxLogBytes: 1000, maxFailedSteps: 1, maxFailedAgeMs: 7 * DAY };
    const store = (): { readonly root: string; readonly tmpDir: string } => ({
      root,
      tmpDir: join(root, "tmp"),
    });

    async function built(ageMs: number, options: { log?: number; failed?: boolean } = {}): Promise<string> {
      const recorder = record(NOW - ageMs);
      recorder.onEvent(started("a", "RUN a", 1000));
      if (options.log !== undefined) recorder.onEvent(wrote("a", Buffer.alloc(options.log, "x")));
      recorder.end({ status: options.failed === true ? "failed" : "done" });
      if (options.failed === true) await mkdir(join(recorder.paths.failed, "upper"), { recursive: true });
      return recorder.id;
    }

    it("lose the oldest builds beyond the number, but never one that runs or has just ended", async () => {
      const running = record(NOW - 5000);
      const ids = [];
      for (const age of [0, 1000, 2000, 3000, 4000]) ids.push(await built(age));
      await pruneRecords({ store: store(), now: NOW, keep: ids[4] as string, limits });
      expect(listBuilds(root).map(({ id }) => id)).toEqual([ids[0], ids[1], ids[2], ids[4], running.id]);
      running.end({ status: "done" });
    });

    it("lose the oldest logs beyond the bytes", async () => {
      const [newest, middle] = [await built(0, { log: 600 }), await built(1000, { log: 600 })];
      await pruneRecords({ store: store(), now: NOW, keep: newest, limits });
      expect(listBuilds(root).map(({ id }) => id)).toEqual([newest]);
      expect(existsSync(new RecordPaths(root, middle).folder)).toBe(false);
    });

    it("lose the files of failed steps sooner than their logs, by number and by age", async () => {
      const newest = await built(0);
      const [recent, second] = [await built(1000, { failed: true }), await built(2000, { failed: true })];
      await pruneRecords({ store: store(), now: NOW, keep: newest, limits });
      expect(existsSync(new RecordPaths(root, recent).failed)).toBe(true);
      expect(existsSync(new RecordPaths(root, second).failed)).toBe(false);
      expect(theBuild(second)?.status).toBe("failed");
      await pruneRecords({ store: store(), now: NOW + 8 * DAY, keep: newest, limits });
      expect(existsSync(new RecordPaths(root, recent).failed)).toBe(false);
    });

    it("lose folders that hold no build, once they are old", async () => {
      const [id, old, fresh] = [
        await built(0),
        join(root, "builds", "deadbeef"),
        join(root, "builds", "0badcafe"),
      ];
      await mkdir(old);
      await mkdir(fresh);
      await utimes(old, NOW / 1000 - 2 * 86400, NOW / 1000 - 2 * 86400);
      await utimes(fresh, NOW / 1000, NOW / 1000);
      await pruneRecords({ store: store(), now: NOW, keep: id, limits });
      expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
    });
  });

  it("a step's log keeps no more than it may, and counts the rest", async () => {
    const path = join(root, "1.log");
    const log = new StepLog(path, 10);
    for (const text of ["12345678", "90abc", "def"]) log.write(Buffer.from(text));
    log.close();
    expect([log.bytes, log.droppedBytes]).toEqual([16, 6]);
    expect(await readFile(path, "latin1")).toBe("1234567890");
  });
});

function bytes(outputBytes: number): { outputBytes: number; droppedBytes: number } {
  return { outputBytes, droppedBytes: 0 };
}

function started(vertex: string, name: string, atMs: number): ProgressEvent {
  return { kind: "step-started", vertex, name, atMs };
}

function wrote(vertex: string, chunk: Uint8Array): ProgressEvent {
  return { kind: "step-output", vertex, stream: "stdout", chunk };
}

function finished(vertex: string, outcome: "cached" | "failed", atMs: number): ProgressEvent {
  return { kind: "step-finished", vertex, atMs, outcome };
}
