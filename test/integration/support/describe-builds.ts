import { mkdir, rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { buildProblem, Workbench } from "./workbench.ts";

/** Tests that share a workbench, whose context is empty before each. Skipped, with the reason in the title, where builds cannot be. */
export function describeBuilds(title: string, define: (bench: () => Workbench) => void): void {
  const problem = buildProblem();
  const skipped = problem === undefined ? "" : ` (skipped: ${problem})`;
  describe.skipIf(problem !== undefined)(`${title}${skipped}`, () => {
    let bench: Workbench | undefined;
    const made = (): Workbench => {
      if (bench === undefined) throw new Error("The workbench is made by beforeAll");
      return bench;
    };
    beforeAll(async () => {
      bench = await Workbench.create();
    });
    beforeEach(async () => {
      await rm(made().context, { recursive: true, force: true });
      await mkdir(made().context);
    });
    afterAll(() => bench?.[Symbol.asyncDispose]());
    define(made);
  });
}
