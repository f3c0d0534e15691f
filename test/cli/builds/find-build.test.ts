import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../run-cli.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "strake-cli-builds-"));
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const strake = (...argv: string[]) => runCli(argv, { env: { STRAKE_ROOT: join(folder, "store") } });

describe("naming a build", () => {
  it.each([
    [["logs"], "Cannot find a build"],
    [["logs", "3f9a"], 'Cannot find build "3f9a"'],
    [["debug", "3f9a"], 'Cannot find build "3f9a"'],
  ])("%j says where it looked when the store remembers none", async (argv, attempt) => {
    const { code, stdout, stderr } = await strake(...argv);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      `error: ${attempt}: the store "${join(folder, "store")}" remembers none\n` +
        "hint: A build leaves its log in the store that it uses; STRAKE_ROOT names another store\n",
    );
  });

  it("finds one by the beginning of its ID, and says where they are listed when none begins so", async () => {
    expect(await strake("build", "-q", folder)).toMatchObject({ code: 0 });
    const { stdout: ids } = await strake("logs", "--list", "-q");
    const id = ids.trim();
    const log = await strake("logs", id.slice(0, 4));
    expect(log).toMatchObject({ code: 0, stderr: "" });
    expect(log.stdout).toContain("COPY Dockerfile /");
    expect(await strake("logs", "nothing")).toMatchObject({
      code: 1,
      stderr:
        'error: Cannot find build "nothing": it is none of those that are remembered\n' +
        "hint: strake logs --list lists them\n",
    });
  });
});
