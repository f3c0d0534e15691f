import { expect, test } from "vitest";
import { environmentWith } from "../../../src/builder/solve/run-environment.ts";

/** What a process finds: of entries with one name the last. */
function effective(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => [entry.split("=")[0], entry.slice(entry.indexOf("=") + 1)]),
  );
}

test("PATH and HOME are there, and the image's own count", () => {
  const bare = effective(environmentWith({ env: ["A=1"], proxyEnv: [] }, "/root", []));
  expect(bare).toEqual({ A: "1", PATH: expect.stringContaining("/usr/local/sbin"), HOME: "/root" });
  const own = effective(environmentWith({ env: ["PATH=/x", "HOME=/h"], proxyEnv: [] }, "/root", []));
  expect(own).toEqual({ PATH: "/x", HOME: "/h" });
});

test("a proxy given for the build goes before the image's, and what a mount adds before all", () => {
  const env = ["HTTP_PROXY=image", "A=image", "PATH=/x", "HOME=/h"];
  const proxyEnv = ["HTTP_PROXY=build", "http_proxy=build"];
  expect(effective(environmentWith({ env, proxyEnv }, "/root", ["A=secret"]))).toMatchObject({
    HTTP_PROXY: "build",
    http_proxy: "build",
    A: "secret",
  });
});
