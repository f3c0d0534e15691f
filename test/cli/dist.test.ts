import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { compiledFile } from "../../src/cli/run-bundle.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLI = join(ROOT, "dist/cli.js");
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

let folder = "";
let env: NodeJS.ProcessEnv = {};

beforeAll(() => {
  const built = spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: ROOT, encoding: "utf8" });
  expect(built).toMatchObject({ status: 0, stderr: "", stdout: "" });
  folder = mkdtempSync(join(tmpdir(), "strake-dist-"));
  env = { PATH: process.env["PATH"], HOME: folder, STRAKE_ROOT: join(folder, "store") };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function strake(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(CLI, argv, { cwd: folder, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("dist/cli.js", () => {
  it("knows the version of package.json", () => {
    expect(strake("--version")).toEqual({ status: 0, stdout: `strake ${version}\n`, stderr: "" });
  });

  it.each(["strake", "transfers"])("has compiled code for %s beside it that this Node takes", (kind) => {
    const [name] = new RegExp(`cli/${kind}-\\w+\\.cjs`).exec(readFileSync(CLI, "utf8")) ?? [];
    const script = join(ROOT, "dist", name ?? "");
    const source = readFileSync(script, "latin1");
    const cachedData = readFileSync(compiledFile(script));
    expect(new Script(source, { filename: script, cachedData }).cachedDataRejected).toBe(false);
  });

  it.each(COMMANDS.map(({ name }) => name))("has %s where it looks for it", (name) => {
    expect(strake(...name.split(" "), "--help")).toMatchObject({ status: 0, stderr: "" });
  });

  it("works without compiled code, and with what another V8 compiled", () => {
    const copy = join(folder, "copy");
    cpSync(join(ROOT, "dist"), copy, { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const [compiled] = readdirSync(join(copy, "cli")).filter((name) => /^strake-.*\.compiled$/.test(name));
    const version = () =>
      spawnSync(process.execPath, [join(copy, "cli.js"), "--version"], { env, encoding: "utf8" });
    writeFileSync(join(copy, "cli", compiled ?? ""), "nothing of V8's");
    expect(version()).toMatchObject({ status: 0, stderr: "" });
    rmSync(join(copy, "cli", compiled ?? ""));
    expect(version()).toMatchObject({ status: 0, stderr: "" });
  });

  it("shows help on standard output", () => {
    const { status, stdout, stderr } = strake("build", "--help");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: strake build \[OPTIONS\]/);
  });

  it("leaves with 2 for a wrong command line and 1 for a failure, saying why on standard error", () => {
    expect(strake("build", "--tga", "x", ".")).toEqual({
      status: 2,
      stdout: "",
      stderr: 'error: Unknown flag "--tga"\nhint: Did you mean "--tag"?\n',
    });
    expect(strake("inspect", "nothing")).toMatchObject({ status: 1, stdout: "" });
  });

  it("opens a store in which nothing is yet", () => {
    expect(strake("images", "--json")).toEqual({ status: 0, stdout: "[]\n", stderr: "" });
  });

  it("says nothing when the reader of its output goes away", () => {
    const { stdout, stderr } = spawnSync(
      "bash",
      ["-c", `set -o pipefail; "${CLI}" completion bash | true; echo "\${PIPESTATUS[0]}"`],
      {
        env,
        encoding: "utf8",
      },
    );
    expect(stderr).toBe("");
    // The small script may have fitted into the pipe before its reader left.
    expect(["0\n", "141\n"]).toContain(stdout);
  });

  it.each(["images", "version", "completion bash"])(
    "%s does not end well when standard output has no room",
    (line) => {
      const { status, stderr } = spawnSync("bash", ["-c", `"${CLI}" ${line} > /dev/full`], {
        env,
        encoding: "utf8",
      });
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr:
          "error: Cannot write to standard output: not all of the result is there\n" +
          "  caused by: ENOSPC: no space left on device, write\n",
      });
    },
  );

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("stops at once for %s", async (signal, code) => {
    const child = spawn(CLI, ["build", "-f", "-", "."], {
      cwd: folder,
      env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const stderr = collect(child);
    // It reads standard input only once it is ready for signals.
    await untilReading(child);
    child.kill(signal);
    const [status] = (await once(child, "exit")) as [number | null];
    expect({ status, stderr: await stderr }).toEqual({ status: code, stderr: `Stopped by ${signal}\n` });
  });
});

describe("the library", () => {
  it("loads without the command's code running, by the names of package.json", () => {
    const project = consumer();
    writeFileSync(
      join(project, "use.mjs"),
      'import * as strake from "strake"; import { parseDockerfile } from "strake/parser";\n' +
        'console.log(typeof strake.StrakeError, parseDockerfile("FROM scratch\\n").stages.length);\n',
    );
    const run = spawnSync(process.execPath, ["use.mjs"], { cwd: project, encoding: "utf8" });
    expect(run).toMatchObject({ status: 0, stdout: "function 1\n", stderr: "" });
  });

  it("has one class of errors behind all doors", () => {
    const project = consumer();
    writeFileSync(
      join(project, "use.mjs"),
      'import { StrakeError } from "strake"; import { DockerfileError, parseDockerfile } from "strake/parser";\n' +
        'import { adviseDockerfile } from "strake/parser/advice"; import { describeDockerfile } from "strake/parser/json";\n' +
        'const { error } = describeDockerfile("FRM a\\n");\n' +
        'let thrown; try { parseDockerfile("FRM a\\n"); } catch (caught) { thrown = caught; }\n' +
        "for (const one of [error, thrown]) console.log(one instanceof DockerfileError, one instanceof StrakeError);\n" +
        'console.log(adviseDockerfile("FRM a\\n"), adviseDockerfile("# check=nonsense\\nFROM scratch\\n"));\n',
    );
    const run = spawnSync(process.execPath, ["use.mjs"], { cwd: project, encoding: "utf8" });
    expect(run).toMatchObject({ status: 0, stdout: "true true\ntrue true\n[] []\n", stderr: "" });
  });

  it("throws errors that print their name and, where maps are read, the places in its sources", () => {
    const project = consumer();
    writeFileSync(
      join(project, "use.mjs"),
      'import { parseDockerfile } from "strake/parser";\n' +
        'try { parseDockerfile("FRM a\\n"); } catch (error) { console.log(error); }\n',
    );
    const argv = ["--enable-source-maps", "use.mjs"];
    const { stdout } = spawnSync(process.execPath, argv, { cwd: project, encoding: "utf8" });
    expect(stdout).toMatch(/^DockerfileError: Dockerfile parse error on line 1: unknown instruction: FRM\n/);
    expect(stdout).toContain(`(${ROOT}src/parser/instructions/index.ts:`);
  });

  it("has declarations that a strict consumer compiles against", () => {
    const project = consumer();
    writeFileSync(
      join(project, "use.ts"),
      'import { type BuildOptions, StrakeError } from "strake";\n' +
        'import { parseDockerfile } from "strake/parser";\n' +
        "export const names: readonly string[] = ([] as BuildOptions[]).flatMap((options) => options.names);\n" +
        "export const error: Error = new StrakeError<'X'>('X', 'message');\n" +
        "export const count: number = parseDockerfile('FROM scratch').stages.length;\n",
    );
    expect(compile(project, "--noEmit", "use.ts")).toMatchObject({ status: 0, stdout: "" });
  });

  it("does what its page says", () => {
    const project = consumer();
    const page = readFileSync(join(ROOT, "docs/library.md"), "utf8");
    const examples = Array.from(
      page.matchAll(/^```ts\n(?<code>[\s\S]*?)^```/gm),
      ({ groups }) => groups?.["code"],
    );
    expect(examples).toHaveLength(3);
    const files = examples.map((code, index) => {
      const file = `example-${index}.ts`;
      writeFileSync(join(project, file), code ?? "");
      return file;
    });
    expect(compile(project, ...files)).toMatchObject({ status: 0, stdout: "" });

    const run = (file: string) =>
      spawnSync(process.execPath, [file], {
        cwd: project,
        env: { ...env, TMPDIR: project },
        encoding: "utf8",
      });
    const read = run("example-0.js");
    expect(read).toMatchObject({ status: 0, stderr: "" });
    expect(read.stdout).toContain("debian:12 base [ 'RUN' ]\nline 1: ");
    expect(read.stdout).toContain("(FromAsCasing)\n");
    expect(read.stdout).toContain("(AptListsLeft)\n");
    const built = run("example-1.js");
    expect(built).toMatchObject({ status: 0, stderr: "" });
    expect(built.stdout).toMatch(/^sha256:[0-9a-f]{64} in 1 step\n$/);
    // The third asks a registry that isn't there: that it compiles is what can be seen here.
  });
});

function compile(project: string, ...argv: string[]) {
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const flags = [
    ...["--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2023,esnext.disposable"],
    ...["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")],
  ];
  return spawnSync(process.execPath, [tsc, ...flags, ...argv], { cwd: project, encoding: "utf8" });
}

/** A folder of a package that depends on this one. */
function consumer(): string {
  const project = mkdtempSync(join(folder, "consumer-"));
  mkdirSync(join(project, "node_modules"));
  symlinkSync(ROOT, join(project, "node_modules/strake"));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  return project;
}

async function collect(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stderr ?? []) text += String(chunk);
  return text;
}

/** Resolves when the child has taken what was written to it. */
async function untilReading(child: ChildProcess): Promise<void> {
  const { stdin } = child;
  if (stdin === null) throw new Error("invariant: standard input is a pipe");
  // More than a pipe holds, so that the write ends only when the child reads.
  await new Promise<void>((resolve, reject) =>
    stdin.write(Buffer.alloc(4 << 20, "#"), (error) => (error ? reject(error) : resolve())),
  );
}
