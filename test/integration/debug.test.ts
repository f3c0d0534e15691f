import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve as resolvePath } from "node:path";
import { describe, expect, it } from "vitest";
import { CANDIDATES } from "../runner/identities.ts";
import { describeBuilds } from "./support/describe-builds.ts";
import { buildProblem, type CliResult, Workbench } from "./support/workbench.ts";

const CLI = resolvePath(import.meta.dirname, "../../dist/cli.js");

describeBuilds("strake debug and strake logs", (bench) => {
  /** Fails a build and returns its ID, as its last lines say it. */
  async function fail(dockerfile: string, args: readonly string[] = []): Promise<string> {
    await bench().write("Dockerfile", dockerfile);
    const { code, stderr } = await bench().build(args);
    expect(code, stderr).toBe(1);
    const [, id] = /^shell in the failed step: strake debug ([0-9a-f]{8})$/m.exec(stderr) ?? [];
    if (id === undefined) throw new Error(`the message does not say how to enter the step:\n${stderr}`);
    return id;
  }

  const debug = (line: string, ...args: string[]): Promise<CliResult> =>
    bench().strake(["debug", ...args, "-c", line]);

  it("a failed RUN is entered as it left its files, with its environment, folder, user and mounts", async () => {
    await bench().write("sub/file", "from the context\n");
    const id = await fail(
      [
        "FROM base AS other",
        "RUN echo from the stage > /file",
        "FROM base",
        "ARG ARGUMENT=argued",
        "ENV VARIABLE=set",
        "RUN echo removed later > /gone; mkdir /home; chown 1000:1000 /tmp /home",
        "WORKDIR /tmp",
        "USER bob",
        "RUN --mount=type=bind,source=sub,target=/bound --mount=type=bind,from=other,target=/stage \\",
        "    --mount=type=cache,target=/cache,uid=1000 --mount=type=tmpfs,target=/memory \\",
        "    echo half done > made; echo kept > /cache/it; echo lost > /memory/it; exit 3",
      ].join("\n"),
    );
    const line =
      "pwd; id -u; cat made /bound/file /stage/file /cache/it; ls /memory; echo $VARIABLE $ARGUMENT $HOME";
    const { code, stdout, stderr } = await debug(line, id);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "/tmp",
      "1000",
      "half done",
      "from the context",
      "from the stage",
      "kept",
      "set argued /home/bob",
      "",
    ]);
  });

  it("nothing is run again, what is changed there is thrown away, and the exit code is the command's", async () => {
    const id = await fail(
      "FROM base\nRUN --mount=type=cache,target=/runs echo x >> /runs/count; rm /etc/group; exit 1\n",
    );
    const first = await debug(
      "echo new > /new; test -e /etc/group || echo gone; wc -l < /runs/count; exit 42",
      id,
    );
    expect(first).toMatchObject({ code: 42, stdout: "gone\n1\n" });
    expect((await debug("ls /new", id)).code).toBe(1);
    expect(await bench().strake(["debug", id, "--", "cat", "/etc/passwd"])).toMatchObject({ code: 0 });
  });

  it("a failed COPY is entered with the files before it, the way the last RUN saw them", async () => {
    await fail("FROM base\nENV A=b\nWORKDIR /srv\nRUN echo made > made\nCOPY missing /\n");
    expect((await debug("pwd; cat made; echo $A")).stdout).toBe("/srv\nmade\nb\n");
  });

  it("an image without a shell says so, and takes one of this machine", async () => {
    await bench().write("file", "text");
    await fail('FROM scratch\nCOPY file /file\nRUN ["/file"]\n');
    const { code, stderr } = await debug("true");
    expect(code).toBe(1);
    expect(stderr).toContain("its image has no /bin/sh");
    expect(stderr).toContain("--host-shell /bin/busybox");
    const lent = await debug("/.strake/busybox cat /file", "--host-shell", "/bin/busybox");
    expect(lent).toMatchObject({ code: 0, stdout: "text" });
  });

  it("secrets are there only when they are given again", async () => {
    const env = { TOKEN: "sesame-open" };
    await bench().write("Dockerfile", "FROM base\nRUN --mount=type=secret,id=TOKEN,env=TOKEN exit 1\n");
    await bench().build(["--secret", "id=TOKEN"], { env });
    const line = ["debug", "-c", "echo $TOKEN; ls /run/secrets"];
    expect((await bench().strake(line)).stdout).toBe("\n");
    expect((await bench().strake([...line, "--secret", "id=TOKEN"], { env })).stdout).toBe("sesame-open\n");
  });

  it("a shell without a terminal is refused, with what to do", async () => {
    await fail("FROM base\nRUN exit 1\n");
    const { code, stderr } = await bench().strake(["debug"]);
    expect(code).toBe(1);
    expect(stderr).toContain("standard input and output are no terminal");
    expect(stderr).toContain("--command");
    const early = await bench().build(["--on-fail=shell"]);
    expect(early.code).toBe(2);
    expect(early.stderr).toContain("no terminal");
  });

  it.skipIf(!existsSync("/usr/bin/script"))(
    "on a terminal the shell has one of its own, and types into it",
    async () => {
      const id = await fail("FROM base\nRUN exit 1\n");
      const command = `${process.execPath} ${CLI} debug ${id}`;
      const child = spawn("/usr/bin/script", ["-qec", command, "/dev/null"], {
        stdio: ["pipe", "pipe", "inherit"],
        env: {
          PATH: process.env["PATH"] ?? "",
          HOME: bench().folder,
          STRAKE_ROOT: bench().store,
          TERM: "xterm",
        },
      });
      let shown = "";
      let hasTyped = false;
      child.stdout.on("data", (chunk: Buffer) => {
        shown += chunk;
        if (hasTyped || !shown.includes("/ # ")) return;
        hasTyped = true;
        child.stdin.write("test -t 0 && test -t 1 && echo TERM is $TERM; exit 7\n");
      });
      const code = await new Promise((resolve) => child.once("close", resolve));
      expect(shown).toContain("TERM is xterm\r\n");
      expect(code).toBe(7);
    },
  );

  it("keeps the failed steps of the newest three builds, and nothing in the temporary folder", async () => {
    const ids: string[] = [];
    for (const word of ["a", "b", "c", "d"])
      ids.push(await fail(`FROM base\nRUN echo ${word} > /w; exit 1\n`));
    const kept = ids.filter((id) => existsSync(join(bench().store, "builds", id, "failed/files/w")));
    expect(kept).toEqual(ids.slice(1));
    const { code, stderr } = await debug("true", ids[0] as string);
    expect(code).toBe(1);
    expect(stderr).toContain("none that failed is kept of it");
    expect(readdirSync(join(bench().store, "tmp"))).toEqual([]);
  });

  it("logs are complete, whatever the terminal showed, also of a build that was killed", async () => {
    await bench().write("Dockerfile", "FROM base\nRUN seq 1 20000; echo last\n");
    const { stderr } = await bench().build(["--progress", "plain"]);
    expect(stderr).toMatch(/left out: strake logs [0-9a-f]{8} \d+/);
    const { stdout } = await bench().strake(["logs", "--json"]);
    const { steps } = JSON.parse(stdout) as {
      readonly steps: readonly { readonly number: number; readonly log?: string }[];
    };
    const [step] = steps.filter(({ log }) => log !== undefined);
    const whole = `${Array.from({ length: 20000 }, (_, index) => `${index + 1}\n`).join("")}last\n`;
    expect((await bench().strake(["logs", `#${step?.number}`])).stdout).toBe(whole);

    await bench().write("Dockerfile", 'FROM base\nRUN echo so "far"; sleep 1000\n');
    const child = bench().start(bench().buildArgs(["--progress", "plain"]));
    for await (const chunk of child.stderr ?? []) if (String(chunk).includes("so far")) break;
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    const killed = await bench().strake(["logs"]);
    expect(killed.stdout).toContain("so far\n");
    expect(killed.stdout).toContain("INTERRUPTED");
    expect((await bench().strake(["logs", "--list"])).stdout).toContain("interrupted");
  });

  it("logs say what is wrong with what they are asked for", async () => {
    const unknown = await bench().strake(["logs", "ffffffffff"]);
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.stderr).toContain('Cannot find build "ffffffffff"');
    expect((await bench().strake(["logs", "999"])).stderr).toContain("Cannot find step 999");
  });
});

const user = CANDIDATES.find(({ title }) => title === "as an ordinary user");
const userProblem = buildProblem() ?? user?.problem;

describe.skipIf(userProblem !== undefined)(
  `strake debug as an ordinary user${userProblem === undefined ? "" : ` (skipped: ${userProblem})`}`,
  () => {
    it("enters a failed step in a user namespace", async () => {
      await using bench = await Workbench.create();
      using identity = user?.become();
      if (identity === undefined) throw new Error("there is no such user");
      const { execFileSync } = await import("node:child_process");
      execFileSync("chown", ["-R", `${identity.uid}:${identity.gid}`, bench.folder]);
      const options = { prefix: identity.prefix };
      await bench.write("Dockerfile", "FROM base\nRUN touch /file; chown 1000:1000 /file; exit 1\n");
      expect((await bench.build([], options)).code).toBe(1);
      const found = await bench.strake(["debug", "-c", "stat -c %u /file; id -u"], options);
      expect(found).toMatchObject({ code: 0, stdout: "1000\n0\n" });
      const logs = await bench.strake(["logs", "--json"], options);
      expect(JSON.parse(logs.stdout)).toMatchObject({ status: "failed" });
      expect(await readFile(join(bench.context, "Dockerfile"), "utf8")).toContain("exit 1");
    });
  },
);
