import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SandboxSpec } from "../../src/runner/index.ts";
import { compilePrograms } from "./compiled-programs.ts";
import type { Identity } from "./identities.ts";
import type { DriverAnswer, DriverRequest } from "./programs/sandbox-driver.ts";

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the driver's sandbox threw. */
export class SandboxFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Running {
  readonly outcome: Promise<Outcome>;
  /** Resolves when stdout has contained the text. */
  waitFor(text: string): Promise<void>;
  abort(): void;
}

export type SpecChange = Partial<SandboxSpec>;

/**
 * A temporary folder and a driver process in it that runs sandboxes as somebody. It has a root file system of BusyBox;
 * each run has a fresh upper folder unless the test names one.
 */
export class SandboxWorld implements AsyncDisposable {
  readonly folder: string;
  readonly base: string;
  readonly #identity: Identity;
  readonly #driver: ChildProcess;
  readonly #ended: Promise<void>;
  /** Of requests that have no answer yet. */
  readonly #rejections = new Set<(error: Error) => void>();
  readonly #listeners = new Map<number, (answer: DriverAnswer) => void>();
  #count = 0;

  static async create(identity: Identity): Promise<SandboxWorld> {
    const folder = mkdtempSync(join(tmpdir(), "strake-test-"));
    await compilePrograms(folder);
    for (const name of ["data", "temp"]) {
      mkdirSync(join(folder, name));
      chownSync(join(folder, name), identity.uid, identity.gid);
    }
    const world = new SandboxWorld(folder, identity);
    await world.shell(MAKE_BASE.replaceAll("BASE", world.base));
    return world;
  }

  private constructor(folder: string, identity: Identity) {
    this.folder = folder;
    this.base = join(folder, "data/base");
    this.#identity = identity;
    this.#driver = this.startDriver();
    this.#driver.once("error", (error) => {
      throw error;
    });
    this.#ended = new Promise((resolve) => this.#driver.once("close", () => resolve()));
    void this.#ended.then(() => {
      for (const reject of this.#rejections) reject(new Error("The driver has ended"));
    });
    if (this.#driver.stdout !== null)
      createInterface({ input: this.#driver.stdout }).on("line", (line) => {
        const answer = JSON.parse(line) as DriverAnswer;
        this.#listeners.get(answer.id)?.(answer);
      });
  }

  /** Another driver, for a test that kills it, to be found by the mark in its command line. Reads requests from its stdin. */
  startDriver(mark = "main"): ChildProcess {
    const path = process.env["PATH"] ?? "";
    const program = [process.execPath, join(this.folder, "sandbox-driver.mjs"), this.tempDir, path, mark];
    const entered = this.#identity.entersNamespace
      ? [process.execPath, join(this.folder, "namespace-driver.mjs"), ...program]
      : program;
    const [file = "", ...args] = [...this.#identity.prefix, ...entered];
    return spawn(file, args, { cwd: "/", stdio: ["pipe", "pipe", "inherit"] });
  }

  /** Where the sandbox keeps what belongs to a run. */
  get tempDir(): string {
    return join(this.folder, "temp");
  }

  /** Names of what is left there. */
  leftovers(): readonly string[] {
    return readdirSync(this.tempDir);
  }

  /** A script of the host's shell, run as the identity (as root of its namespace). Throws when it fails. */
  async shell(script: string): Promise<string> {
    const { exitCode, stdout } = await this.#send((id) => ({ op: "shell", id, script })).outcome;
    if (exitCode !== 0) throw new Error(`The script ended with ${exitCode}: ${stdout}`);
    return stdout;
  }

  /** An empty folder of a layer, with a script run in it. */
  async layer(script = ""): Promise<string> {
    const path = join(this.folder, `data/layer-${this.#count++}`);
    await this.shell(`mkdir ${path} && cd ${path} && umask 022\n${script}`);
    return path;
  }

  async run(change: SpecChange): Promise<Outcome> {
    return (await this.start(change)).outcome;
  }

  async start(change: SpecChange): Promise<Running> {
    const spec = await this.makeSpec(change);
    return this.#send((id) => ({ op: "run", id, spec }));
  }

  async makeSpec(change: SpecChange): Promise<SandboxSpec> {
    const upper = change.upper ?? (await this.layer());
    return {
      lower: [this.base],
      upper,
      work: await this.layer(),
      argv: ["/bin/true"],
      env: ["PATH=/bin"],
      cwd: "/",
      uid: 0,
      gid: 0,
      additionalGids: [],
      mounts: [],
      network: "host",
      hostname: "buildkitsandbox",
      insecure: false,
      shmSizeBytes: 64 * 1024 * 1024,
      ulimits: [],
      extraHosts: [],
      ...change,
    };
  }

  /** What a folder holds: a line of `TYPE MODE UID:GID PATH` for each entry below it, sorted. */
  async list(folder: string): Promise<readonly string[]> {
    const text = await this.shell(
      `cd ${folder} && find . -mindepth 1 -printf '%y %m %U:%G %P\\n' | sort -k4`,
    );
    return text.split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Files of subordinate ids are beyond an ordinary user outside of its namespace.
    await this.shell(`rm -rf ${this.folder}/data/* ${this.folder}/temp/*`);
    this.#driver.stdin?.end();
    await this.#ended;
    chmodSync(this.folder, 0o700);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #send(makeRequest: (id: number) => DriverRequest): Running {
    const id = this.#count++;
    const output = { stdout: "", stderr: "" };
    const waiting: { readonly text: string; readonly resolve: () => void }[] = [];
    const outcome = new Promise<Outcome>((resolve, reject) => {
      this.#rejections.add(reject);
      this.#listeners.set(id, (answer) => {
        switch (answer.event) {
          case "output":
            output[answer.stream as "stdout" | "stderr"] += Buffer.from(answer.base64, "base64").toString();
            for (const { text, resolve } of waiting) if (output.stdout.includes(text)) resolve();
            break;
          case "end":
            this.#rejections.delete(reject);
            output.stdout += answer.stdout ?? "";
            resolve({ exitCode: answer.exitCode, ...output });
            break;
          case "error":
            this.#rejections.delete(reject);
            reject(new SandboxFailure(answer.code, answer.message));
            break;
          default:
            answer satisfies never;
        }
      });
    });
    this.#driver.stdin?.write(`${JSON.stringify(makeRequest(id))}\n`);
    return {
      outcome,
      waitFor: (text) =>
        new Promise((resolve, reject) => {
          waiting.push({ text, resolve });
          outcome.catch(reject);
        }),
      abort: () => this.#driver.stdin?.write(`${JSON.stringify({ op: "abort", id })}\n`),
    };
  }
}

/** Like the smallest of images: a shell, a user database, and none of the places that a sandbox mounts something on. */
const MAKE_BASE = `
umask 022
mkdir -p BASE/bin BASE/etc BASE/tmp BASE/root BASE/home
chmod 1777 BASE/tmp
cp /bin/busybox BASE/bin/busybox
for applet in $(/bin/busybox --list); do [ $applet = busybox ] || ln -s busybox BASE/bin/$applet; done
echo root:x:0:0:root:/root:/bin/sh > BASE/etc/passwd
echo root:x:0: > BASE/etc/group
touch -d 2020-01-01T00:00:00Z BASE/etc BASE/root BASE
`;

/** What a sandbox runs for a line of shell. */
export function sh(script: string): { readonly argv: readonly string[] } {
  return { argv: ["sh", "-c", script] };
}
