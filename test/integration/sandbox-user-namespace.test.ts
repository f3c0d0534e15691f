import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compilePrograms } from "../runner/compiled-programs.ts";
import { CANDIDATES, type Identity } from "../runner/identities.ts";

const candidate = CANDIDATES.find(({ title }) => title === "as an ordinary user");
const problem = candidate === undefined ? "no candidate" : candidate.problem;

interface Entered {
  readonly child: ChildProcess;
  /** Resolves when stdout has contained the text. */
  waitFor(text: string): Promise<void>;
  readonly end: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function watch(child: ChildProcess): Entered {
  let stdout = "";
  let stderr = "";
  const waiting = new Map<string, () => void>();
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
    for (const [text, resolve] of waiting) if (stdout.includes(text)) resolve();
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  return {
    child,
    waitFor: (text) => new Promise((resolve) => waiting.set(text, resolve)),
    end: new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr }))),
  };
}

/** Counts the signals that it gets, waits a while for a second one, and ends with 40 + their number. */
const count = (signal: string): string =>
  `n=0; trap 'n=$((n+1))' ${signal}; echo ready; while [ $n = 0 ]; do sleep 0.02; done; sleep 0.3; exit $((40+n))`;

describe.skipIf(problem !== undefined)(
  `entering a user namespace${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "strake-test-"));
    let identity: Identity | undefined;
    beforeAll(async () => {
      chmodSync(folder, 0o755);
      await compilePrograms(folder);
      identity = candidate?.become();
    });
    afterAll(() => {
      identity?.[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    });

    const command = (argv: readonly string[], user = identity): readonly string[] => [
      ...(user?.prefix ?? []),
      ...[process.execPath, join(folder, "namespace-driver.mjs"), ...argv],
    ];

    function enter(script: string, user = identity): Entered {
      const [file = "", ...args] = command(["/bin/sh", "-c", script], user);
      return watch(spawn(file, args, { cwd: "/", stdio: ["pipe", "pipe", "pipe"] }));
    }

    test("makes the user root, with ids beside, and tells who it was", async () => {
      const { code, stdout } = await enter("id -u; id -g; cat /proc/self/uid_map; echo $STRAKE_OUTER_UID")
        .end;
      expect(code).toBe(0);
      const [uid, gid, root, ids, outer] = stdout
        .split("\n")
        .map((line) => line.trim().replaceAll(/ +/g, " "));
      expect([uid, gid, root, outer]).toEqual(["0", "0", `0 ${identity?.uid} 1`, String(identity?.uid)]);
      expect(ids).toMatch(/^1 \d+ 65536$/);
    });

    test("hands on the standard streams and the exit code", async () => {
      const entered = enter("cat; echo problem >&2; exit 7");
      entered.child.stdin?.end("input");
      expect(await entered.end).toEqual({ code: 7, stdout: "input", stderr: "problem\n" });
    });

    test("ends with 128 + n when signal n ended the program", async () => {
      expect((await enter("kill -KILL $$").end).code).toBe(137);
    });

    test.each(["INT", "TERM", "HUP", "QUIT"] as const)("hands on SIG%s once", async (signal) => {
      const entered = enter(count(signal));
      await entered.waitFor("ready");
      entered.child.kill(`SIG${signal}`);
      expect((await entered.end).code).toBe(41);
    });

    const hasScript = spawnSync("sh", ["-c", "command -v script"]).status === 0;
    test.skipIf(!hasScript)(
      "hands on a terminal's Ctrl-C once (skipped without script of util-linux)",
      async () => {
        const line = command(["/bin/sh", "-c", count("INT")])
          .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
          .join(" ");
        const entered = watch(
          // exec: a shell that stays in between may die of the Ctrl-C itself, as dash does.
          spawn("script", ["--quiet", "--return", "--command", `exec ${line}`, "/dev/null"], {
            cwd: "/",
            stdio: "pipe",
          }),
        );
        await entered.waitFor("ready");
        entered.child.stdin?.write("\x03");
        expect((await entered.end).code).toBe(41);
      },
    );

    test.skipIf(process.getuid?.() !== 0)("says what a user without subordinate ids has to do", async () => {
      const name = `strake-none-${process.pid}`;
      execFileSync("useradd", [
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--key",
        "SUB_UID_COUNT=0",
        name,
      ]);
      try {
        const id = (flag: string): number => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
        const prefix = ["setpriv", `--reuid=${id("-u")}`, `--regid=${id("-g")}`, "--clear-groups", "--"];
        const user = {
          prefix,
          uid: id("-u"),
          gid: id("-g"),
          entersNamespace: true,
          [Symbol.dispose]: () => undefined,
        };
        const { code, stderr } = await enter("true", user).end;
        expect(code).toBe(99);
        expect(stderr).toBe(
          `USER_NAMESPACE_UNAVAILABLE: Cannot enter a user namespace: the user "${name}" has no subordinate ids in /etc/subuid\n` +
            `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}\n`,
        );
      } finally {
        execFileSync("userdel", ["--force", name], { stdio: "ignore" });
      }
    });
  },
);
