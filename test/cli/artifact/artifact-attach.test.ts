import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCli } from "../run-cli.ts";
import { ArtifactFolder, type Pushed } from "./artifact-folder.ts";

const { at, done, listing, push, refused, text } = new ArtifactFolder();

describe("artifact attach", () => {
  it("adds to a layout what is about an image of it, which copy --referrers takes along", async () => {
    writeFileSync(at("sbom.json"), "{}");
    const image = await push("oci:lay:1", "sbom.json");
    const attached = JSON.parse(
      (await done(["attach", "-q", "--json", "--type", "application/spdx+json", "oci:lay:1", "sbom.json"]))
        .stdout,
    ) as Pushed;
    expect(attached.artifactType).toBe("application/spdx+json");
    const manifest = JSON.parse(text(`lay/blobs/sha256/${attached.digest.slice(7)}`));
    expect(manifest.subject.digest).toBe(image.digest);
    expect(attached).toMatchObject({ subject: manifest.subject });
    const listed = await runCli(["registry", "referrers", "oci:lay:1"], { cwd: at("") });
    expect(listed.stdout).toContain(`${attached.digest}   application/spdx+json`);
    const none = await runCli(["registry", "referrers", "--type", "a/b", "--json", "oci:lay:1"], {
      cwd: at(""),
    });
    expect(JSON.parse(none.stdout)).toEqual([]);
    const run = await runCli(["copy", "-q", "--referrers", "oci:lay:1", "oci:copy:1"], { cwd: at("") });
    expect(run.code).toBe(0);
    expect(existsSync(at(`copy/blobs/sha256/${attached.digest.slice(7)}`))).toBe(true);
    await done(["pull", "-o", "out", `oci:lay:${attached.digest}`]);
    expect(listing("out")).toEqual({ "sbom.json": "{}" });
  });

  it("is found by its type with pull --attached", async () => {
    writeFileSync(at("a"), "a");
    writeFileSync(at("b"), "b");
    await push("oci:lay:1", "a");
    await done(["attach", "--type", "a/one", "oci:lay:1", "b"]);
    await done(["attach", "--type", "a/two", "oci:lay:1", "a"]);
    await done(["attach", "--type", "a/two", "oci:lay:1", "b"]);
    await done(["pull", "-o", "out", "--attached", "a/one", "oci:lay:1"]);
    expect(listing("out")).toEqual({ b: "b" });
    expect(await refused(["pull", "-o", "out", "--attached", "a/two", "oci:lay:1"])).toContain(
      'Cannot choose between 2 artifacts of type "a/two" attached to "oci:lay:1"',
    );
    expect(await refused(["pull", "-o", "out", "--attached", "a/three", "oci:lay:1"])).toContain(
      "There is a/one, a/two",
    );
  });

  it("is idempotent", async () => {
    writeFileSync(at("a"), "a");
    await push("oci:lay:1", "a");
    for (let i = 0; i < 2; i++) await done(["attach", "--type", "a/b", "oci:lay:1", "a"]);
    expect(JSON.parse(text("lay/index.json")).manifests).toHaveLength(2);
  });

  it("asks for a type, an image that is there, and something to attach", async () => {
    writeFileSync(at("a"), "a");
    await push("oci:lay:1", "a");
    expect(await refused(["attach", "oci:lay:1", "a"])).toContain("Cannot attach files of no type");
    expect(await refused(["attach", "--type", "a/b", "oci:lay:2", "a"])).toContain(
      'Cannot find "2" in "lay"',
    );
    expect(await refused(["attach", "--type", "a/b", "oci:lay:1"])).toContain(
      'Cannot attach nothing to "oci:lay:1"',
    );
    expect(await refused(["attach", "--type", "a/b", "oci-archive:x.tar", "a"])).toContain(
      "an archive is written anew",
    );
  });
});
