import { describe, expect, test } from "vitest";
import { BuildError } from "../../../src/builder/error.ts";
import { GraphBuilder } from "../../../src/builder/graph/graph-builder.ts";
import { type PlannedBuild, planBuild } from "../../../src/builder/graph/plan-build.ts";
import { type ExecVertex, inputsOf, type Vertex } from "../../../src/builder/graph/vertex.ts";
import type { Platform } from "../../../src/oci/index.ts";
import { parseDockerfile } from "../../../src/parser/index.ts";
import { plainBuild } from "../../support/build-options.ts";

const PLATFORM: Platform = { os: "linux", architecture: "amd64" };

/** Plans a Dockerfile that stands on nothing but scratch. */
async function plan(
  text: string,
  { target, buildArgs = {} }: { readonly target?: string; readonly buildArgs?: Record<string, string> } = {},
): Promise<PlannedBuild> {
  const noImage = (name: string): never => {
    throw new BuildError("BASE_IMAGE", `no image: ${name}`, { hint: "Pull one" });
  };
  return planBuild({
    dockerfile: parseDockerfile(Buffer.from(text)),
    buildPlatform: PLATFORM,
    targetPlatform: PLATFORM,
    isPlatformGiven: false,
    graph: new GraphBuilder(),
    resolveImage: async (name) => noImage(name),
    resolveLayout: async (name) => noImage(name),
    options: {
      ...plainBuild(text, "/context"),
      platforms: [PLATFORM],
      ...(target === undefined ? {} : { target }),
      buildArgs,
    },
  });
}

async function lastRun(text: string, options: Parameters<typeof plan>[1] = {}): Promise<ExecVertex> {
  const { result } = await plan(text, options);
  let vertex: Vertex | undefined = result;
  while (vertex !== undefined && vertex.kind !== "exec") vertex = inputsOf(vertex)[0];
  if (vertex === undefined) throw new Error("no RUN");
  return vertex;
}

describe("the mounts of a RUN", () => {
  test("are made by target, so that one inside another is not hidden", async () => {
    const { mounts } = await lastRun(
      "FROM scratch\nRUN --mount=type=tmpfs,target=/a/b --mount=type=tmpfs,target=/a-b --mount=type=tmpfs,target=/a x\n",
    );
    expect(mounts.map((mount) => "target" in mount && mount.target)).toEqual(["/a", "/a-b", "/a/b"]);
  });

  test("leave the last of several at one target", async () => {
    const { mounts } = await lastRun(
      "FROM scratch\nRUN --mount=type=tmpfs,target=/a,size=1m --mount=type=tmpfs,target=/a/ x\n",
    );
    expect(mounts).toEqual([{ kind: "tmpfs", target: "/a" }]);
  });

  test("put secrets on top, then agents, in their own order", async () => {
    const { mounts } = await lastRun(
      "FROM scratch\nRUN --mount=type=ssh --mount=type=secret,id=z,target=/b/z --mount=type=secret,id=a,target=/b/a --mount=target=/b x\n",
    );
    expect(mounts.map(({ kind }) => kind)).toEqual(["bind", "secret", "secret", "ssh"]);
    expect(mounts.flatMap((mount) => (mount.kind === "secret" ? [mount.secretId] : []))).toEqual(["z", "a"]);
  });

  test("are at the working directory without a target", async () => {
    const { mounts } = await lastRun("FROM scratch\nWORKDIR /src\nRUN --mount=type=bind x\n");
    expect(mounts).toMatchObject([{ kind: "bind", target: "/src" }]);
    await expect(plan("FROM scratch\nRUN --mount=type=bind x\n")).rejects.toThrow('invalid mount target "/"');
  });
});

test.each([
  ["", "deps"],
  ["ci", "ci/deps"],
])("BUILDKIT_CACHE_MOUNT_NS=%s: the cache mount %s", async (namespace, cacheId) => {
  const buildArgs = { BUILDKIT_CACHE_MOUNT_NS: namespace };
  const { mounts } = await lastRun("FROM scratch\nRUN --mount=type=cache,id=deps,target=/d x\n", {
    buildArgs,
  });
  expect(mounts).toMatchObject([{ kind: "cache", cacheId }]);
});

test.each([
  ["--link", true],
  ["--link --chmod=755", false],
  ["", false],
])("COPY %s depends on what it lands on unless it is linked without --chmod", async (flags, link) => {
  const { result } = await plan(`FROM scratch\nCOPY ${flags} a /\n`);
  expect(result).toMatchObject({ kind: "copy", link });
});

describe("WORKDIR", () => {
  test.each([
    ["WORKDIR /a/", "/a/"],
    ["WORKDIR /a//b/../c", "/a//b/../c"],
    ["WORKDIR /a/\nWORKDIR b/", "/a/b"],
    ["WORKDIR /a/\nWORKDIR $NOTHING", "/a/"],
  ])("%s is stored as %s", async (lines, stored) => {
    const { image } = await plan(`FROM scratch\n${lines}\n`);
    expect(image.config.WorkingDir).toBe(stored);
    expect(image.history.at(-1)?.createdBy).toBe(`WORKDIR ${stored}`);
  });
});

test("a RUN sees variables in the order of their last definitions, the config keeps the first places", async () => {
  const text = "FROM scratch\nENV A=1 B=2\nARG C=3\nENV A=4\nRUN x\n";
  expect((await lastRun(text)).env.slice(-3)).toEqual(["B=2", "C=3", "A=4"]);
  expect((await plan(text)).image.config.Env?.slice(-2)).toEqual(["A=4", "B=2"]);
});

test("EXPOSE of nothing exposes nothing", async () => {
  const { image } = await plan("FROM scratch\nEXPOSE $NOTHING\n");
  expect(image.config.ExposedPorts).toBeUndefined();
});

test("a stage on another stage begins with the variables of its config, whatever an ARG there said", async () => {
  const text = "FROM scratch AS base\nARG B=arg\nENV A=env\nARG A=arg\nFROM base\nRUN x\n";
  expect((await lastRun(text)).env.filter((entry) => !entry.startsWith("PATH="))).toEqual(["B=arg", "A=env"]);
});

test.each([
  ["<<EOF", "echo x\n"],
  ["<< EOF", "echo x\n"],
  ["3<<EOF", "echo x\n"],
  ["<<EOF cat", "<<EOF cat\necho x\nEOF"],
])("RUN %s runs %j", async (line, command) => {
  expect((await lastRun(`FROM scratch\nRUN ${line}\necho x\nEOF\n`)).argv).toEqual([
    "/bin/sh",
    "-c",
    command,
  ]);
});

test("HEALTHCHECK is written into the history as Docker does it", async () => {
  const { image } = await plan('FROM scratch\nHEALTHCHECK --interval=5s --retries=4 CMD ["/h", "x"]\n');
  expect(image.history.at(-1)?.createdBy).toBe(`HEALTHCHECK &{["CMD" "/h" "x"] "5s" "0s" "0s" "0s" '\\x04'}`);
});

test.each([
  ["FOO x", 'line 3: Cannot follow the ONBUILD trigger "FOO x": unknown instruction: FOO'],
  ["WORKDIR", "WORKDIR requires exactly one argument"],
])("a trigger that is wrong (%s) is reported at the FROM that sets it off", async (trigger, message) => {
  const building = plan(`FROM scratch AS a\nONBUILD ${trigger}\nFROM a\n`);
  await expect(building).rejects.toMatchObject({ at: { startLine: 3 } });
  await expect(building).rejects.toThrow(message);
});

test.each([
  ["FROM scratch AS build\nFROM scratch\nCOPY --from=biuld /a /\n", 3],
  ["FROM scratch AS build\nFROM scratch\nRUN --mount=from=Biuld,target=/a x\n", 3],
  ["FROM scratch AS build\nFROM buld\n", 2],
])("an image that is not there may be a stage misspelt: %j", async (text, line) => {
  await expect(plan(text)).rejects.toMatchObject({
    at: { startLine: line },
    hint: expect.stringMatching(
      /^No stage is called ".*", so this means an image\. Did you mean the stage "build"\?$/,
    ),
  });
});

test("an image that is not there may be named by a variable without a value", async () => {
  await expect(plan("ARG V\nFROM busybox:1$V\n")).rejects.toMatchObject({
    hint: "V has no value: give it one with --build-arg V=… or a default, ARG V=…, before the first FROM",
  });
});

test("an image that is not there has its own hint where no stage's name is near", async () => {
  await expect(plan("FROM scratch AS build\nFROM busybox\n")).rejects.toMatchObject({ hint: "Pull one" });
});

test("an empty --target is none: the last stage is built", async () => {
  const text = "FROM scratch AS a\nLABEL l=a\nFROM scratch AS b\nARG TARGETSTAGE\nLABEL l=b-$TARGETSTAGE\n";
  expect((await plan(text, { target: "" })).image).toEqual((await plan(text)).image);
  expect((await plan(text, { target: "" })).image.config.Labels).toEqual({ l: "b-b" });
  await expect(plan(text, { target: "c" })).rejects.toThrow('target stage "c" could not be found');
});

describe("the file of a heredoc", () => {
  const nameIn = async (name: string): Promise<string | undefined> => {
    const { result } = await plan(`FROM scratch\nCOPY <<${name} /d/\nx\n${name}\n`);
    const [source] = result.kind === "copy" ? result.sources : [];
    return source?.kind === "inline" ? source.name : undefined;
  };

  test.each([
    ["EOF", "EOF"],
    ["../EOF", "EOF"],
    ["/EOF", "EOF"],
    ["a.b-c_d*", "a.b-c_d*"],
  ])("<<%s is called %s", async (written, name) => {
    expect(await nameIn(written)).toBe(name);
  });

  test.each([
    ["d/e", "open /d/e: no such file or directory"],
    ["/etc/x", "open /etc/x: no such file or directory"],
    ["..", "open /: is a directory"],
  ])("<<%s cannot be made", async (written, message) => {
    await expect(nameIn(written)).rejects.toThrow(message);
  });
});
