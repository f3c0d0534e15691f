import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildProblem, stepsOf, Workbench } from "./support/workbench.ts";

const problem = buildProblem();

describe.skipIf(problem !== undefined)(
  `build checks in a build${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let bench: Workbench;

    beforeAll(async () => {
      bench = await Workbench.create();
      await bench.write(".dockerignore", "left-out*\n");
      await bench.write("left-out.txt", "x\n");
      await bench.write("taken.txt", "x\n");
    });

    afterAll(() => bench[Symbol.asyncDispose]());

    const CONTENT = `FROM base as made
MAINTAINER somebody
COPY left-out.tx[t] left-out* taken.txt /d/
RUN echo "$MISSPELT" > /made
WORKDIR relative
`;
    const FOUND = [
      "FromAsCasing .*Dockerfile:1\\)",
      "MaintainerDeprecated .*Dockerfile:2\\)",
      "CopyIgnoredFile .*left-out.*Dockerfile:3\\)",
      "WorkdirRelativePath .*Dockerfile:5\\)",
    ];

    it("are warnings with file and line, and the image is built", async () => {
      await bench.write("Dockerfile", CONTENT);
      const { code, stderr } = await bench.build(["--progress=plain", "-t", "checked"]);
      expect(code).toBe(0);
      for (const finding of FOUND) expect(stderr).toMatch(new RegExp(finding.replace(" ", ":? ")));
      expect([...stepsOf(stderr).values()]).toEqual(["DONE", "DONE", "DONE"]);
      expect((await bench.strake(["images"])).stdout).toContain("checked");
    });

    it("fail the build where the Dockerfile says so, before a step has run, unless they are skipped", async () => {
      await bench.write("Dockerfile", `# check=error=true\n${CONTENT}RUN echo more > /more\n`);
      const { code, stderr } = await bench.build(["--progress=plain", "-t", "failed", "--no-cache"]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/lint violation found for rules: (?=.*FromAsCasing)(?=.*MaintainerDeprecated)/);
      expect(stepsOf(stderr)).toEqual(new Map());
      expect((await bench.strake(["images"])).stdout).not.toContain("failed");
      await bench.write("Dockerfile", `# check=skip=all;error=true\n${CONTENT}`);
      const skipped = await bench.build(["--progress=plain"]);
      expect(skipped.code).toBe(0);
      expect(skipped.stderr).not.toContain("FromAsCasing");
    });

    it.each(["bogus", "error=maybe"])("refuse an option that is none: # check=%s", async (option) => {
      await bench.write("Dockerfile", `# check=${option}\nFROM base\n`);
      const { code, stderr } = await bench.build();
      expect(code).toBe(1);
      expect(stderr).toMatch(`invalid check option "${option}"`);
      expect(stderr).toContain(`>>> # check=${option}`);
    });
  },
);
