import { expect, test } from "vitest";
import { describeForEveryone } from "../runner/for-everyone.ts";
import { sh } from "../runner/sandbox-world.ts";

describeForEveryone("a command in a sandbox", (world) => {
  test("ends with its own exit code", async () => {
    expect((await world().run({ argv: ["true"] })).exitCode).toBe(0);
    expect((await world().run({ argv: ["false"] })).exitCode).toBe(1);
    expect((await world().run(sh("exit 77"))).exitCode).toBe(77);
  });

  test("ends with 128 + n when signal n killed it", async () => {
    // The first process of a PID namespace is immune to its own signals, so a child of it dies and is waited for.
    expect((await world().run(sh("sh -c 'kill -KILL $$'; exit $?"))).exitCode).toBe(137);
    expect((await world().run(sh("sh -c 'kill -TERM $$'; exit $?"))).exitCode).toBe(143);
  });

  test("has its output delivered whole, in order, by stream", async () => {
    const { stdout, stderr } = await world().run(
      sh("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo problem >&2"),
    );
    const lines = stdout.split("\n");
    expect(lines).toHaveLength(20_001);
    expect(lines.every((line, i) => line === (i < 20_000 ? `line ${i}` : ""))).toBe(true);
    expect(stderr).toBe("problem\n");
  });

  test("has its output delivered as it comes", async () => {
    const running = await world().start(sh("echo started; sleep 1000"));
    await running.waitFor("started");
    running.abort();
    await expect(running.outcome).rejects.toThrow("stopped by the test");
  });

  test("may print what the runtime's own failures begin with", async () => {
    const { exitCode, stderr } = await world().run(sh("echo 'runc run failed: not really' >&2; exit 1"));
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "runc run failed: not really\n" });
  });

  test("finds its input at the end", async () => {
    expect((await world().run(sh("cat; echo $?"))).stdout).toBe("0\n");
  });

  test("sees the environment, the folder and the host name that it was given", async () => {
    const { stdout } = await world().run({
      ...sh('echo "$GREETING"; pwd; hostname; umask'),
      env: ["PATH=/bin", "GREETING=two  blanks, a 'quote' and ü"],
      cwd: "/home",
      hostname: "elsewhere",
    });
    expect(stdout).toBe("two  blanks, a 'quote' and ü\n/home\nelsewhere\n0022\n");
  });

  test("runs as the user and the groups that it was given", async () => {
    const { stdout } = await world().run({
      ...sh("id -u; id -g; id -G; touch /tmp/f; stat -c %u:%g /tmp/f"),
      uid: 1234,
      gid: 56,
      additionalGids: [7, 60_000],
    });
    expect(stdout).toBe("1234\n56\n56 7 60000\n1234:56\n");
  });

  test("may write to /dev/stdout as an ordinary user", async () => {
    const { stdout, stderr } = await world().run({
      ...sh("echo out > /dev/stdout; echo err > /dev/stderr"),
      uid: 1234,
    });
    expect({ stdout, stderr }).toEqual({ stdout: "out\n", stderr: "err\n" });
  });

  test("may own files by any of the usual ids", async () => {
    const upper = await world().layer();
    await world().run({ ...sh("touch /a /b; chown 65534:65534 /a; chown 1000:33 /b; chmod 6755 /b"), upper });
    expect(await world().list(upper)).toEqual(["f 644 65534:65534 a", "f 6755 1000:33 b"]);
  });

  test("is not found when its program is missing", async () => {
    const missing = { code: "COMMAND_NOT_FOUND" };
    await expect(world().run({ argv: ["/no/such/program"] })).rejects.toMatchObject(missing);
    await expect(world().run({ argv: ["/no/such/program"] })).rejects.toThrow(
      'Cannot run "/no/such/program": stat /no/such/program: no such file or directory',
    );
    await expect(world().run({ argv: ["nowhere"] })).rejects.toThrow(
      'Cannot run "nowhere": executable file not found in $PATH',
    );
    await expect(world().run({ lower: [], argv: ["/bin/sh", "-c", "true"] })).rejects.toMatchObject(missing);
  });

  test("is not executable when its program is a folder or lacks the permission", async () => {
    const layer = await world().layer("mkdir folder; echo text > text");
    const lower = [layer, world().base];
    for (const program of ["/folder", "/text"])
      await expect(world().run({ lower, argv: [program] })).rejects.toMatchObject({
        code: "COMMAND_NOT_EXECUTABLE",
        // Newer versions of runc tell a folder apart.
        message: expect.stringMatching(`^Cannot run "${program}": (permission denied|is a directory)$`),
      });
  });

  test("is a failure of the runtime when its container can't be made", async () => {
    const work = "/nonexistent/work";
    await expect(world().run({ work })).rejects.toMatchObject({ code: "RUNTIME_FAILED" });
    expect(world().leftovers()).toEqual([]);
  });

  test("takes its background processes with it", async () => {
    const token = `6${Date.now() % 1_000_000}`;
    expect((await world().run(sh(`sleep ${token} & echo done`))).stdout).toBe("done\n");
    expect(await world().shell(`pgrep -f 'sleep ${token}$' || true`)).toBe("");
  });

  test("is a static program in an otherwise empty root file system", async () => {
    const layer = await world().layer("cp /bin/busybox busybox");
    const upper = await world().layer();
    const { stdout } = await world().run({ lower: [layer], upper, argv: ["/busybox", "ls", "-a", "/"] });
    expect(stdout.split("\n").filter((name) => /^\w/.test(name))).toEqual([
      "busybox",
      "dev",
      "etc",
      "proc",
      "sys",
    ]);
    expect(await world().list(upper)).toEqual([]);
  });
});
