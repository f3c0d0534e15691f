import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const CLI = resolve(import.meta.dirname, "../../../dist/cli.js");
const BUSYBOX = "/bin/busybox";
const APPLETS =
  "sh cat ls echo mkdir rm cp mv ln touch chmod chown sleep true false id stat env head wc sort sync seq test".split(
    " ",
  );

/** Why builds cannot be tried on this machine; undefined when they can. */
export function buildProblem(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync(BUSYBOX)) return `needs ${BUSYBOX} (Debian package busybox-static)`;
  if (!existsSync(CLI)) return "needs dist/cli.js (npm run build)";
  return undefined;
}

export interface CliResult {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Program and arguments in front of the command, e.g. to become another user. */
  readonly prefix?: readonly string[];
  readonly store?: string;
  readonly cwd?: string;
}

/** A folder with a store, a context and a static base image: what a user has who tries strake. */
export class Workbench implements AsyncDisposable {
  readonly folder: string;
  readonly store: string;
  /** The build context. */
  readonly context: string;
  /** An OCI layout that holds the base image `base`. */
  readonly base: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.store = join(folder, "store");
    this.context = join(folder, "context");
    this.base = join(folder, "base");
  }

  static async create(): Promise<Workbench> {
    const bench = new Workbench(await mkdtemp(join(tmpdir(), "strake-bench-")));
    await chmod(bench.folder, 0o755);
    await mkdir(bench.context);
    await bench.#makeBase();
    return bench;
  }

  /** Writes a file of the context (or of another folder below the workbench). */
  async write(path: string, content: string, root: string = this.context): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }

  /** Runs the command line to its end. */
  async strake(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
    const child = this.start(args, options);
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: await stdout, stderr: await stderr };
  }

  /** Starts the command line and leaves it running. */
  start(
    args: readonly string[],
    { env = {}, prefix = [], store = this.store, cwd }: RunOptions = {},
  ): ChildProcess {
    const [program = process.execPath, ...rest] = [...prefix, process.execPath, CLI, ...args];
    return spawn(program, rest, {
      cwd: cwd ?? this.folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", HOME: this.folder, STRAKE_ROOT: store, ...env },
    });
  }

  /** Builds the context with `base` as a named context. */
  build(args: readonly string[] = [], options: RunOptions = {}): Promise<CliResult> {
    return this.strake(this.buildArgs(args), options);
  }

  buildArgs(args: readonly string[] = []): readonly string[] {
    return ["build", "--build-context", `base=oci-layout://${this.base}`, ...args, this.context];
  }

  /** Builds and takes the files of the result: paths with their content, for small text files. */
  async buildFiles(
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<ReadonlyMap<string, string>> {
    const out = await mkdtemp(join(this.folder, "out-"));
    const result = await this.build([...args, "-o", `type=local,dest=${out}`], options);
    if (result.code !== 0) throw new Error(`the build failed:\n${result.stderr}`);
    const files = new Map<string, string>();
    for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === "busybox") continue;
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(out.length), await readFile(path, "utf8"));
    }
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The base image is built by strake itself, from nothing. */
  async #makeBase(): Promise<void> {
    const root = join(this.folder, "rootfs");
    for (const name of ["bin", "etc", "tmp"]) await mkdir(join(root, name), { recursive: true });
    await copyFile(BUSYBOX, join(root, "bin/busybox"));
    await chmod(join(root, "bin/busybox"), 0o755);
    for (const name of APPLETS) await symlink("busybox", join(root, "bin", name));
    await writeFile(
      join(root, "etc/passwd"),
      "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n",
    );
    await writeFile(join(root, "etc/group"), "root:x:0:\nbob:x:1000:\n");
    await writeFile(join(this.folder, "base.Dockerfile"), 'FROM scratch\nCOPY . /\nCMD ["sh"]\n');
    const made = await this.strake([
      "build",
      "-f",
      join(this.folder, "base.Dockerfile"),
      "-o",
      `type=oci,tar=false,dest=${this.base}`,
      root,
    ]);
    if (made.code !== 0) throw new Error(`the base image could not be made:\n${made.stderr}`);
  }
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  if (stream !== null) for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** The steps that a plain progress output shows (but FROM), by their text, with how each ended. */
export function stepsOf(stderr: string): ReadonlyMap<string, "DONE" | "CACHED" | "ERROR"> {
  const names = new Map<string, string>();
  const steps = new Map<string, "DONE" | "CACHED" | "ERROR">();
  for (const line of stderr.split("\n")) {
    const started = /^#(\d+) \[(?!internal)[^\]]*\] (?!FROM )(.*)$/.exec(line);
    if (started !== null) names.set(started[1] as string, started[2] as string);
    const ended = /^#(\d+) (DONE|CACHED|ERROR)/.exec(line);
    const name = names.get(ended?.[1] ?? "");
    if (ended !== null && name !== undefined) steps.set(name, ended[2] as "DONE" | "CACHED" | "ERROR");
  }
  return steps;
}
