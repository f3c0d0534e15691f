import { describe, expect, it } from "vitest";
import { runBuildChecks } from "../../../src/builder/checks/build-checks.ts";
import type { ProgressEvent } from "../../../src/builder/index.ts";
import type { ResolvedImage } from "../../../src/builder/resolved-image.ts";
import { createIgnore, DockerfileError, parseDockerfile } from "../../../src/parser/index.ts";

const AMD64 = { os: "linux", architecture: "amd64" } as const;

function check(
  text: string,
  {
    target,
    bases = {},
    ignored,
  }: { target?: string; bases?: Record<string, string[]>; ignored?: readonly string[] } = {},
) {
  const events: ProgressEvent[] = [];
  const images = Object.entries(bases).map(([name, Env]): [string, ResolvedImage] => {
    // Nothing else of an image is looked at.
    const image: Pick<ResolvedImage, "config" | "platform"> = {
      config: { ...AMD64, config: { Env }, rootfs: { type: "layers", diff_ids: [] } },
      platform: AMD64,
    };
    return [name, image as ResolvedImage];
  });
  const messages = runBuildChecks({
    dockerfile: parseDockerfile(text),
    options: { buildArgs: {}, platforms: [], ...(target === undefined ? {} : { target }) },
    buildPlatform: AMD64,
    bases: new Map(images),
    ignore: ignored === undefined ? undefined : createIgnore(ignored),
    onEvent: (event) => events.push(event),
  });
  return { messages, events };
}

describe("runBuildChecks()", () => {
  it("tells each finding as a warning with its place", () => {
    const { messages, events } = check("FROM scratch as a\nMAINTAINER b\n");
    expect(messages.map((message) => message.replace(/: .*\(/, " ("))).toEqual([
      "FromAsCasing (Dockerfile:1)",
      "MaintainerDeprecated (Dockerfile:2)",
    ]);
    expect(events).toMatchObject([
      { kind: "warning", message: messages[0], check: { rule: "FromAsCasing", startLine: 1 } },
      { kind: "warning", message: messages[1], check: { rule: "MaintainerDeprecated", startLine: 2 } },
    ]);
  });

  it("knows the variables of base images", () => {
    const text = "FROM base\nCOPY a $HERE\nCOPY a $GONE\n";
    expect(check(text, { bases: { base: ["HERE=/x"] } }).messages).toEqual([
      expect.stringMatching(/^UndefinedVar: .*GONE.* \(Dockerfile:3\)$/),
    ]);
  });

  it("looks at what variables do only in stages that are built", () => {
    const text = "FROM scratch AS unused\nCOPY a $GONE\nFROM scratch\nCOPY a /\n";
    expect(check(text).messages).toEqual([]);
    expect(check(text, { target: "unused" }).messages.length).toBe(1);
  });

  it("tells of sources that the ignore file leaves out", () => {
    const text = "FROM scratch\nCOPY a.txt /\nCOPY b.txt /\n";
    expect(check(text, { ignored: ["b*"] }).messages).toEqual([
      expect.stringMatching(/^CopyIgnoredFile: .*"b.txt".* \(Dockerfile:3\)$/),
    ]);
    expect(check(text).messages).toEqual([]);
  });

  it("fails where the file makes warnings errors, after telling them", () => {
    const text = "# check=error=true\nFROM scratch as a\n";
    expect(() => check(text)).toThrow(DockerfileError);
    expect(() => check(text)).toThrow("lint violation found for rules: FromAsCasing");
    expect(check("# check=error=true\nFROM scratch AS a\n").messages).toEqual([]);
  });

  it("fails for a malformed check=, as Docker does", () => {
    expect(() => check("# check=bogus\nFROM scratch\n")).toThrow('invalid check option "bogus"');
  });
});
