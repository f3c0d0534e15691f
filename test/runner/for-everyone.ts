import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe } from "vitest";
import { findRuntimePrograms } from "../../src/runner/process/runtime-programs.ts";
import { CANDIDATES, type Identity } from "./identities.ts";
import { SandboxWorld } from "./sandbox-world.ts";

/**
 * The same tests as root and as an ordinary user, each with a world of its own. What can't be had here is skipped with
 * its reason in the title.
 */
export function describeForEveryone(
  title: string,
  define: (world: () => SandboxWorld, isRoot: boolean) => void,
): void {
  const missing = findMissing();
  for (const candidate of CANDIDATES) {
    const problem = candidate.problem ?? missing;
    describe.skipIf(problem !== undefined)(
      `${title}, ${candidate.title}${problem === undefined ? "" : ` (skipped: ${problem})`}`,
      () => {
        let identity: Identity | undefined;
        let world: SandboxWorld | undefined;
        beforeAll(async () => {
          identity = candidate.become();
          world = await SandboxWorld.create(identity);
        });
        afterAll(async () => {
          await world?.[Symbol.asyncDispose]();
          identity?.[Symbol.dispose]();
        });
        define(() => {
          if (world === undefined) throw new Error("The world is made by beforeAll");
          return world;
        }, candidate.title === "as root");
      },
    );
  }
}

function findMissing(): string | undefined {
  if (!existsSync("/bin/busybox")) return "needs busybox-static";
  try {
    findRuntimePrograms(process.env["PATH"] ?? "");
    return undefined;
  } catch (error) {
    return String(error);
  }
}
