import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseOptions } from "../../../src/cli/args/parse-options.ts";
import { BUILD_FLAGS } from "../../../src/cli/build/build-flags.ts";
import { parseAnnotation, readBuildOptions } from "../../../src/cli/build/build-options.ts";
import { readSettings } from "../../../src/cli/environment.ts";
import { FakeOutput } from "../fake-output.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "strake-build-options-"));
  mkdirSync(join(cwd, "app"));
  writeFileSync(join(cwd, "Dockerfile"), "FROM scratch\n");
  writeFileSync(join(cwd, "app", "dockerfile"), "FROM scratch\n");
  writeFileSync(join(cwd, "app", "other.df"), "FROM scratch\n");
  writeFileSync(join(cwd, "token"), "s3cret");
});
afterAll(() => rmSync(cwd, { recursive: true }));

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: readonly Uint8Array[];
  readonly isTTY?: boolean;
}

async function read(argv: readonly string[], { env = {}, stdin = [], isTTY = false }: Surroundings = {}) {
  const warnings: string[] = [];
  const { options, positionals } = parseOptions(BUILD_FLAGS, argv);
  const built = await readBuildOptions(
    options,
    positionals[0] ?? "",
    {
      cwd,
      settings: readSettings(env, { uid: 0, home: "/root", isInNamespace: false }),
      stdin: Object.assign(
        (async function* () {
          yield* stdin;
        })(),
        { isTTY: false },
      ),
      stdout: new FakeOutput(isTTY ? { columns: 80, rows: 24 } : undefined),
    },
    (warning) => warnings.push(warning),
  );
  return { ...built, warnings };
}

const usage = (message: string | RegExp) =>
  expect.objectContaining({ code: "USAGE", message: expect.stringMatching(message) });

describe("readBuildOptions()", () => {
  it("has Docker's defaults", async () => {
    expect(await read(["."])).toEqual({
      context: { kind: "dir", path: cwd },
      dockerfile: { kind: "path", path: join(cwd, "Dockerfile"), shownAs: "Dockerfile" },
      buildArgs: {},
      buildContexts: {},
      platforms: [],
      names: [],
      outputs: [{ kind: "image", names: [], push: false }],
      labels: {},
      annotations: [],
      secrets: [],
      ssh: [],
      network: "default",
      extraHosts: [],
      shmSizeBytes: 64 << 20,
      ulimits: [],
      noCache: [],
      pull: false,
      allow: [],
      warnings: [],
    });
  });

  describe("finds the Dockerfile", () => {
    it.each<[string[], string, string]>([
      [["app"], "app/dockerfile", "app/dockerfile"],
      [["-f", "app/other.df", "."], "app/other.df", "app/other.df"],
      [["-f", "Dockerfile", "app"], "Dockerfile", "Dockerfile"],
    ])("for %j", async (argv, path, shownAs) => {
      const { dockerfile } = await read(argv);
      expect(dockerfile).toEqual({ kind: "path", path: join(cwd, path), shownAs });
    });

    it("on standard input", async () => {
      const { dockerfile, context } = await read(["-f", "-", "app"], {
        stdin: [Buffer.from("FROM a"), Buffer.from("\n")],
      });
      expect(dockerfile).toEqual({ kind: "text", text: Buffer.from("FROM a\n"), shownAs: "<stdin>" });
      expect(context).toEqual({ kind: "dir", path: join(cwd, "app") });
    });

    it("alone, with a context that has no files", async () => {
      const { dockerfile, context } = await read(["-"], { stdin: [Buffer.from("FROM a\n")] });
      expect(dockerfile).toEqual({ kind: "text", text: Buffer.from("FROM a\n"), shownAs: "<stdin>" });
      expect(context.kind).toBe("tar-stream");
      const chunks: Uint8Array[] = [];
      if (context.kind === "tar-stream") for await (const chunk of context.open()) chunks.push(chunk);
      expect(Buffer.concat(chunks)).toEqual(Buffer.alloc(1024));
    });

    it.each([
      ["plain", Buffer.concat([Buffer.alloc(257), Buffer.from("ustar\0"), Buffer.alloc(1000)])],
      ["gzip", gzipSync(Buffer.alloc(3000, "x"))],
      ["empty", Buffer.alloc(1024)],
    ])("in an archive on standard input (%s)", async (_, bytes) => {
      const pieces = [bytes.subarray(0, 3), bytes.subarray(3, 300), bytes.subarray(300)];
      const { dockerfile, context } = await read(["-"], { stdin: pieces });
      expect(dockerfile).toEqual({ kind: "path", path: "Dockerfile", shownAs: "Dockerfile" });
      const chunks: Uint8Array[] = [];
      if (context.kind === "tar-stream") for await (const chunk of context.open()) chunks.push(chunk);
      expect(Buffer.concat(chunks)).toEqual(bytes);
    });

    it("inside a remote context", async () => {
      const url = "https://github.com/a/b.git#main:sub";
      expect(await read(["-f", "x/Dockerfile", url])).toMatchObject({
        context: { kind: "url", url },
        dockerfile: { kind: "path", path: "x/Dockerfile", shownAs: "x/Dockerfile" },
      });
    });

    it.each<[string[], RegExp, string | undefined]>([
      [
        ["-f", "other.df", "app"],
        /open other\.df: no such file or directory/,
        "-f is relative to the current folder: -f app/other.df",
      ],
      [["-f", "nope", "."], /open nope: no such file or directory/, undefined],
      [["nope"], /Cannot use context "nope": there is no such folder/, expect.any(String)],
      [["Dockerfile"], /it is no folder/, expect.stringContaining("strake build -f Dockerfile .")],
      [["-"], /nothing came/, undefined],
    ])("or says why not for %j", async (argv, message, hint) => {
      await expect(read(argv)).rejects.toThrow(
        expect.objectContaining({ code: "INPUT_UNUSABLE", message: expect.stringMatching(message), hint }),
      );
    });

    it("refuses to read two things from standard input", async () => {
      await expect(read(["-f", "-", "-"])).rejects.toThrow(usage(/both the context and the Dockerfile/));
    });
  });

  describe("reads build args", () => {
    it("from the command line and the environment", async () => {
      const argv = [
        "--build-arg",
        "A=1",
        "--build-arg",
        "B",
        "--build-arg",
        "C",
        "--build-arg",
        "D=",
        "--build-arg",
        "A=2=3",
        ".",
      ];
      const { buildArgs } = await read(argv, { env: { B: "from env", http_proxy: "http://p" } });
      expect(buildArgs).toEqual({ A: "2=3", B: "from env", D: "" });
    });

    it("with SOURCE_DATE_EPOCH of the environment unless one is given", async () => {
      const env = { SOURCE_DATE_EPOCH: "7" };
      expect((await read(["."], { env })).buildArgs).toEqual({ SOURCE_DATE_EPOCH: "7" });
      const given = await read(["--build-arg", "SOURCE_DATE_EPOCH=8", "."], { env });
      expect(given.buildArgs).toEqual({ SOURCE_DATE_EPOCH: "8" });
    });
  });

  it("reads names in full", async () => {
    const { names, outputs } = await read(["-t", "app", "-t", "ghcr.io/a/b:1", "--push", "."]);
    expect(names).toEqual(["docker.io/library/app:latest", "ghcr.io/a/b:1"]);
    expect(outputs).toEqual([{ kind: "image", names, push: true }]);
  });

  it("reads build contexts", async () => {
    const contexts = [
      "a=app",
      "b=docker-image://alpine:3",
      "c=oci-layout://app:tag",
      "d=oci-layout:///x/y@sha256:00ff",
      "e=https://x/y.git",
      "f=oci-layout://lay",
    ];
    const { buildContexts } = await read([...contexts.flatMap((text) => ["--build-context", text]), "."]);
    expect(buildContexts).toEqual({
      a: { kind: "dir", path: join(cwd, "app") },
      b: { kind: "docker-image", reference: "alpine:3" },
      c: { kind: "oci-layout", path: join(cwd, "app"), reference: "tag" },
      d: { kind: "oci-layout", path: "/x/y", reference: "sha256:00ff" },
      e: { kind: "url", url: "https://x/y.git" },
      f: { kind: "oci-layout", path: join(cwd, "lay") },
    });
  });

  it("reads secrets", async () => {
    const argv = ["id=tok,src=token", "id=E", "id=F,env=G", "type=env,id=H,src=G", "id=gone,env=NOPE"];
    const { secrets, warnings } = await read([...argv.flatMap((text) => ["--secret", text]), "."], {
      env: { E: "e", G: "g" },
    });
    const file = { kind: "file", path: join(cwd, "token") };
    expect(secrets).toEqual([
      { id: "tok", from: file },
      { id: "E", from: { kind: "env", value: Buffer.from("e") } },
      { id: "F", from: { kind: "env", value: Buffer.from("g") } },
      { id: "H", from: { kind: "env", value: Buffer.from("g") } },
      { id: "gone", from: { kind: "env", value: Buffer.from("") } },
    ]);
    expect(warnings).toEqual(['Secret "gone" is empty: the variable "NOPE" is not set']);
  });

  it("reads the rest", async () => {
    const built = await read([
      ...["--platform", "linux/amd64,arm64", "--platform", "linux/arm/v6", "--target", "x", "--pull"],
      ...["--label", "a=b=c", "--label", "d", "--annotation", "k=v", "--annotation", "index,manifest:k=v"],
      ...["--network", "none", "--add-host", "h:1.2.3.4", "--shm-size", "12m", "--ulimit", "nofile=5:6"],
      ...[
        "--no-cache-filter",
        "a,b",
        "--allow",
        "network.host,security.insecure",
        "--provenance=false",
        "--rm",
        ".",
      ],
    ]);
    expect(built).toMatchObject({
      platforms: [
        { os: "linux", architecture: "amd64" },
        { os: "linux", architecture: "arm64" },
        { os: "linux", architecture: "arm", variant: "v6" },
      ],
      target: "x",
      pull: true,
      labels: { a: "b=c", d: "" },
      annotations: [
        { key: "k", value: "v" },
        { key: "index:k", value: "v" },
        { key: "manifest:k", value: "v" },
      ],
      network: "none",
      extraHosts: [{ name: "h", address: "1.2.3.4" }],
      shmSizeBytes: 12 << 20,
      ulimits: [{ name: "nofile", soft: 5, hard: 6 }],
      noCache: ["a", "b"],
      allow: ["network.host", "security.insecure"],
    });
    expect((await read(["--no-cache", "."])).noCache).toBe(true);
  });

  it.each<[string[], RegExp]>([
    [["-t", "UPPER", "."], /must be lowercase/],
    [["-t", `a@sha256:${"0".repeat(64)}`, "."], /digest follows/],
    [["--platform", "linux/amd64/v1/x", "."], /platform/],
    [["--push", "."], /no name/],
    [["--network", "bridge", "."], /network mode "bridge" not supported/],
    [["--allow", "everything", "."], /Unknown right/],
    [["--build-arg", "=x", "."], /invalid key-value pair "=x": empty key/],
    [["--label", "=x", "."], /invalid key-value pair "=x": empty key/],
    [["--annotation", "k", "."], /invalid annotation "k", expected key=value/],
    [["--annotation", "bogus:k=v", "."], /unknown annotation type "bogus"/],
    [["--build-context", "x", "."], /--build-context "x"/],
    [["--build-context", "x=ftp://y", "."], /"ftp" is no kind of source/],
    [["--build-context", "UPPER=.", "."], /^invalid context name UPPER: /],
    [["--build-context", "x::=.", "."], /^invalid context name x::: /],
    [["--secret", "src=token,bogus=1", "."], /unexpected key 'bogus'/],
    [["--secret", "env=X", "."], /secret missing ID/],
    [["-q", "-o", "-", "."], /image ID \(-q\)/],
    [["-o", "-", "-o", "type=oci", "."], /Only one output/],
    [[""], /context is empty/],
  ])("refuses %j", async (argv, message) => {
    await expect(read(argv)).rejects.toThrow(usage(message));
  });

  it.each([
    [["--cache-to", "type=registry,ref=x", "."], "UNSUPPORTED"],
    [["--provenance", "mode=max", "."], "UNSUPPORTED"],
    [["--sbom=true", "."], "UNSUPPORTED"],
    [["--secret", "id=x,src=nope", "."], "INPUT_UNUSABLE"],
    [["--secret", "id=x,src=app", "."], "INPUT_UNUSABLE"],
    [["--build-context", "x=nowhere", "."], "INPUT_UNUSABLE"],
    [["--build-context", "x=token", "."], "INPUT_UNUSABLE"],
    [["--ssh", "default", "."], "INPUT_UNUSABLE"],
    [["--ssh", "default=token", "."], "INPUT_UNUSABLE"],
  ])("says that %j can't be done", async (argv, code) => {
    await expect(read(argv)).rejects.toThrow(expect.objectContaining({ code }));
  });

  it("never writes an archive to a terminal", async () => {
    await expect(read(["-o", "-", "."], { isTTY: true })).rejects.toThrow(
      expect.objectContaining({ code: "OUTPUT_REFUSED" }),
    );
  });
});

describe("parseAnnotation()", () => {
  it("keeps a platform, and colons of the key", () => {
    expect(parseAnnotation("manifest[linux/amd64]:a:b=c=d")).toEqual([
      { key: "manifest[linux/amd64]:a:b", value: "c=d" },
    ]);
  });
});
