import { join } from "node:path";
import { expect, it } from "vitest";
import { describeBuilds } from "./support/describe-builds.ts";
import { stepsOf } from "./support/workbench.ts";

/** Shell that leaves a mark in the cache that all steps share, and one that waits for a mark, but not for ever. */
const mark = (name: string): string => `touch /meet/${name}`;
const wait = (name: string): string =>
  `i=0; while [ ! -e /meet/${name} ]; do sleep 0.05; i=$((i+1)); [ $i -lt 1200 ] || exit 9; done`;
const run = (...commands: string[]): string =>
  `RUN --mount=type=cache,id=meet,target=/meet ${commands.join("; ")}`;

describeBuilds("the order of steps", (bench) => {
  it("steps that don't depend on each other run side by side: each waits for all others", async () => {
    const names = ["a", "b", "c", "d"];
    const stages = names.map(
      (name) => `FROM base AS ${name}\n${run(mark(name), ...names.map(wait), `echo ${name} > /${name}`)}`,
    );
    const copies = names.map((name) => `COPY --from=${name} /${name} /`);
    await bench().write("Dockerfile", [...stages, "FROM base", ...copies].join("\n"));
    const files = await bench().buildFiles();
    expect(names.map((name) => files.get(`/${name}`))).toEqual(names.map((name) => `${name}\n`));
  });

  it("a dozen at once, on a base of a dozen layers that have to be unpacked, make Node.js warn of nothing", async () => {
    const names = Array.from("abcdefghijkl");
    const layers = names.map((name) => `COPY ${name} /${name}`);
    for (const name of names) await bench().write(name, name);
    await bench().write("Dockerfile", ["FROM base", ...layers].join("\n"));
    const layout = join(bench().folder, "dozen");
    expect((await bench().build(["-o", `type=oci,tar=false,dest=${layout}`])).code).toBe(0);
    const stages = names.map(
      (name) =>
        `FROM dozen AS ${name}\n${run(mark(`dozen-${name}`), ...names.map((other) => wait(`dozen-${other}`)))}`,
    );
    const copies = names.map((name) => `COPY --from=${name} /${name} /`);
    await bench().write("Dockerfile", [...stages, "FROM base", ...copies].join("\n"));
    const { code, stderr } = await bench().build(
      [`--jobs=${names.length}`, "--build-context", `dozen=oci-layout://${layout}`],
      { store: join(bench().folder, "fresh") },
    );
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(/warning/i);
  });

  it("with --jobs=1 one runs after the other, also where they share a locked cache", async () => {
    const locked = "RUN --mount=type=cache,id=one,target=/one,sharing=locked";
    const alone = "[ ! -e /one/busy ] || exit 9; touch /one/busy; sleep 0.2; rm /one/busy";
    const stages = ["a", "b", "c"].map((name) => `FROM base AS ${name}\n${locked} ${alone}; echo > /${name}`);
    const copies = ["a", "b", "c"].map((name) => `COPY --from=${name} /${name} /`);
    await bench().write("Dockerfile", [...stages, "FROM base", ...copies].join("\n"));
    expect(await bench().build(["--jobs=1"])).toMatchObject({ code: 0 });
    expect((await bench().build(["--jobs=0"])).code).toBe(2);
  });

  it("steps that run at once have a private cache each; a later step finds the first one's", async () => {
    const together = (name: string, other: string): string =>
      `RUN --mount=type=cache,id=own,target=/own,sharing=private --mount=type=cache,id=meet,target=/meet ${[
        mark(`own-${name}`),
        wait(`own-${other}`),
        "echo x >> /own/runs",
        `cp /own/runs /${name}`,
      ].join("; ")}`;
    const later = "RUN --mount=type=cache,id=own,target=/own,sharing=private cp /own/runs /later";
    await bench().write(
      "Dockerfile",
      [
        `FROM base AS a\n${together("a", "b")}`,
        `FROM base AS b\n${together("b", "a")}`,
        `FROM base\nCOPY --from=a /a /\nCOPY --from=b /b /\n${later}`,
      ].join("\n"),
    );
    const files = await bench().buildFiles();
    expect(["/a", "/b", "/later"].map((path) => files.get(path))).toEqual(["x\n", "x\n", "x\n"]);
  });

  it("equal steps of two stages run once", async () => {
    const same = "RUN --mount=type=cache,id=count,target=/count echo x >> /count/runs; cp /count/runs /runs";
    await bench().write(
      "Dockerfile",
      `FROM base AS a\n${same}\nFROM base AS b\n${same}\nFROM base\nCOPY --from=a /runs /a\nCOPY --from=b /runs /b\n`,
    );
    const files = await bench().buildFiles();
    expect([files.get("/a"), files.get("/b")]).toEqual(["x\n", "x\n"]);
  });

  it("a step that is nearly done when another fails goes on into the cache; what follows does not begin", async () => {
    await bench().write(
      "Dockerfile",
      [
        "FROM base AS slow",
        run(mark("slow"), wait("failing"), "sleep 0.5", "echo done > /slow"),
        "RUN echo after slow > /after",
        "FROM base AS failing",
        run(wait("slow"), mark("failing"), "exit 3"),
        "FROM base",
        "COPY --from=failing / /x",
        "COPY --from=slow /slow /after /",
      ].join("\n"),
    );
    const failed = await bench().build(["--progress=plain"]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("exit code: 3");
    expect(failed.stderr).not.toContain("] RUN echo after slow");
    const steps = [...stepsOf(failed.stderr)].filter(([name]) => name.includes("/meet"));
    expect(
      new Map(steps.map(([name, end]) => [name.includes("/slow") && name.includes("sleep 0.5"), end])),
    ).toEqual(
      new Map([
        [true, "DONE"],
        [false, "ERROR"],
      ]),
    );
    const again = await bench().build(["--progress=plain", "--target=slow"]);
    expect(again.code).toBe(0);
    expect([...stepsOf(again.stderr).values()]).toEqual(["CACHED", "DONE"]);
  });

  it("a step that is far from done when another fails is stopped", async () => {
    await bench().write(
      "Dockerfile",
      [
        "FROM base AS slow",
        run(mark("endless"), "sleep 100000"),
        "FROM base AS failing",
        run(wait("endless"), "exit 3"),
        "FROM base",
        "COPY --from=slow / /x",
        "COPY --from=failing / /x",
      ].join("\n"),
    );
    const failed = await bench().build(["--progress=plain"]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("exit code: 3");
    expect(failed.stderr).toMatch(/^#\d+ CANCELED/m);
  });
});
