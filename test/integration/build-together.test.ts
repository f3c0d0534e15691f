import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CANDIDATES } from "../runner/identities.ts";
import { buildProblem, stepsOf, Workbench } from "./support/workbench.ts";

const problem = buildProblem();
const user = CANDIDATES.find(({ title }) => title === "as an ordinary user");
const userProblem = problem ?? user?.problem;

describe.skipIf(problem !== undefined)(
  `two builds at once${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let bench: Workbench;

    beforeAll(async () => {
      bench = await Workbench.create();
    });

    afterAll(() => bench[Symbol.asyncDispose]());

    beforeEach(() => rm(bench.context, { recursive: true, force: true }));

    it("do a step that both need once: one waits for the other", async () => {
      await bench.write("Dockerfile", "FROM base\nRUN sleep 1; cat /proc/sys/kernel/random/uuid > /id\n");
      const runs = await Promise.all([
        bench.build(["--progress", "plain"]),
        bench.build(["--progress", "plain"]),
      ]);
      expect(runs.map(({ code }) => code)).toEqual([0, 0]);
      const outcomes = runs.flatMap(({ stderr }) => [...stepsOf(stderr).values()]).sort();
      expect(outcomes).toEqual(["CACHED", "DONE"]);
      const ids = runs.map(({ stderr }) => /Image (sha256:[0-9a-f]+)/.exec(stderr)?.[1]);
      expect(ids[0]).toMatch(/^sha256:/);
      expect(ids[1]).toBe(ids[0]);
    });

    it("fail alone: the other goes on", async () => {
      await bench.write("good.Dockerfile", "FROM base\nRUN sleep 1; echo good > /good\n");
      await bench.write("bad.Dockerfile", "FROM base\nRUN sleep 0.3; exit 7\n");
      const [good, bad] = await Promise.all([
        bench.build(["-f", join(bench.context, "good.Dockerfile")]),
        bench.build(["-f", join(bench.context, "bad.Dockerfile")]),
      ]);
      expect(good.code).toBe(0);
      expect(bad.code).toBe(1);
    });
  },
);

describe.skipIf(userProblem !== undefined)(
  `an ordinary user${userProblem === undefined ? "" : ` (skipped: ${userProblem})`}`,
  () => {
    let bench: Workbench;

    beforeAll(async () => {
      bench = await Workbench.create();
    });

    afterAll(() => bench[Symbol.asyncDispose]());

    it("gets the same image as root, to the last byte", async () => {
      using identity = user?.become() ?? raise();
      await bench.write("file", "content\n");
      await bench.write(
        "Dockerfile",
        `FROM base AS made
RUN echo hi > /x && chown 1000:1000 /x && mkdir -p /d/e && ln /x /y && chmod 4755 /x && rm /bin/seq
RUN touch -d @1000 /old && ln -s nowhere /dangling
USER bob
WORKDIR /home/bob
FROM made
COPY --chown=bob:bob file /d/
COPY --from=made /x /copied
RUN test "$(id -u)" = 1000 && cat /d/file
`,
      );
      const home = join(bench.folder, "home");
      await mkdir(home);
      execFileSync("chown", [`${identity.uid}:${identity.gid}`, home]);
      await chmod(bench.context, 0o755);
      const args = (archive: string): readonly string[] => [
        "--build-arg",
        "SOURCE_DATE_EPOCH=1500000000",
        "-o",
        `type=oci,dest=${archive},rewrite-timestamp=true`,
      ];
      const ofRoot = await bench.build(args(join(bench.folder, "root.tar")));
      const ofUser = await bench.build(args(join(home, "user.tar")), {
        prefix: identity.prefix,
        store: join(home, "store"),
        env: { HOME: home },
        cwd: home,
      });
      expect(ofRoot.stderr + ofUser.stderr).not.toContain("error");
      expect([ofRoot.code, ofUser.code]).toEqual([0, 0]);
      const [a, b] = await Promise.all([
        readFile(join(bench.folder, "root.tar")),
        readFile(join(home, "user.tar")),
      ]);
      expect(a.equals(b)).toBe(true);
      execFileSync("chown", ["-R", "0:0", home]);
    });
  },
);

function raise(): never {
  throw new Error("no user");
}
