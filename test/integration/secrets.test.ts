import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, createServer, type Server as NetServer } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildProblem, type CliResult, Workbench } from "./support/workbench.ts";

const problem = buildProblem();

/** One for each way in. They are searched for as they are and in base64. */
const CANARIES = {
  file: "canary-in-a-file-5b1d",
  variable: "canary-in-a-variable-77aa",
  git: "canary-for-git-90cc",
  proxy: "canary-of-a-proxy-12ef",
  registry: "canary-of-a-registry-4d4d",
  url: "canary-in-a-url-fe01",
} as const;

const NEEDLES = Object.values(CANARIES).flatMap((canary) => [
  Buffer.from(canary),
  // Three alignments: base64 of it in the middle of something.
  ...["", "x", "xx"].map((before) => Buffer.from(alignedBase64(before, canary))),
]);

describe.skipIf(problem !== undefined)(
  `secrets${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let bench: Workbench;
    let agent: NetServer;
    let web: Server;
    let env: Record<string, string>;
    /** What the web server was asked with. */
    const authorizations: string[] = [];

    beforeAll(async () => {
      bench = await Workbench.create();
      agent = createServer().listen(join(bench.folder, "agent.sock"));
      web = createHttpServer((request, response) => {
        if (request.headers.authorization !== undefined) authorizations.push(request.headers.authorization);
        response.writeHead(401, { "www-authenticate": 'Basic realm="here"' }).end();
      });
      await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
      await writeFile(join(bench.folder, "token"), `${CANARIES.file}\n`);
      await mkdir(join(bench.folder, ".docker"));
      const auth = Buffer.from(`me:${CANARIES.registry}`).toString("base64");
      const config = { auths: { [webHost()]: { auth } } };
      await writeFile(join(bench.folder, ".docker/config.json"), JSON.stringify(config));
      env = { TOKEN: CANARIES.variable, GIT_AUTH_TOKEN: CANARIES.git };
      await bench.write(
        "Dockerfile",
        [
          "FROM base",
          "ARG END",
          "ARG ROUND",
          "RUN --mount=type=cache,id=meet,target=/meet --mount=type=ssh --mount=type=secret,id=token \\",
          "    --mount=type=secret,id=other,env=OTHER \\",
          '    test -n "$HTTP_PROXY" && test -e "$SSH_AUTH_SOCK" && cat /run/secrets/token; echo "is $OTHER" >&2; \\',
          "    head -c 5 /run/secrets/token; sleep 0.1; echo; touch /meet/$END; \\",
          "    while [ -e /meet/hold ]; do sleep 0.05; done; [ $END = good ]",
        ].join("\n"),
      );
    });

    afterAll(async () => {
      agent.close();
      web.close();
      await bench[Symbol.asyncDispose]();
    });

    const webHost = (): string => `127.0.0.1:${(web.address() as AddressInfo).port}`;

    /** Starts a build that nothing is cached of; its step goes on, with its secrets, until it is released. */
    async function startHeld(round: number) {
      const held = join(bench.store, "cache/mounts");
      const [mounts] = await readdir(held);
      if (mounts === undefined) throw new Error("the cache mount should be there");
      const meet = (name: string): string => join(held, mounts, name);
      await writeFile(meet("hold"), "");
      await rm(meet("good"), { force: true });
      const words = ["--build-arg", `ROUND=${round}`, ...args("good", "plain")];
      const child = bench.start(bench.buildArgs(words), { env });
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.stdout?.resume();
      child.stderr?.resume();
      return {
        child,
        ended,
        reached: () => waitForFile(meet("good")),
        release: () => rm(meet("hold"), { force: true }),
      };
    }

    const args = (end: string, progress: string): readonly string[] => [
      ...[`--progress=${progress}`, "--build-arg", `END=${end}`],
      ...["--build-arg", `HTTP_PROXY=http://me:${CANARIES.proxy}@127.0.0.1:9`],
      ...["--secret", `id=token,src=${join(bench.folder, "token")}`],
      ...["--secret", "id=other,env=TOKEN", "--secret", "id=GIT_AUTH_TOKEN"],
      ...["--ssh", `default=${join(bench.folder, "agent.sock")}`],
    ];

    it("are found by the search of these tests, where they are", async () => {
      expect(await findCanaries(join(bench.folder, "token"))).toHaveLength(1);
      expect(await findCanaries(join(bench.folder, ".docker"))).toHaveLength(1);
    });

    it.each(["plain", "rawjson", "tty", "quiet"])(
      "are in no store, archive or output of builds that succeed and fail, with --progress=%s",
      async (progress) => {
        const good = `good`;
        const out = join(bench.folder, `${progress}.tar`);
        const built = await bench.build(
          ["--no-cache", ...args(good, progress), "-o", `type=oci,dest=${out}`, "-o", "type=image,name=app"],
          { env },
        );
        expect(built, built.stderr).toMatchObject({ code: 0 });
        expectClean(built);
        if (progress === "plain") expect(built.stderr).toMatch(/^#\d+ [\d.]+ is \*\*\*$/m);
        expect(await findCanaries(out)).toEqual([]);

        const failed = await bench.build(["--no-cache", ...args("bad", progress)], { env });
        expect(failed.code).toBe(1);
        expectClean(failed);
        expect(await findCanaries(bench.store)).toEqual([]);
      },
    );

    it("are in the log of a step as stars, and not in what is kept of a failed one", async () => {
      const { stdout } = await bench.strake(["logs", "--failed"]);
      expect(stdout).toContain("***");
      expect(stdout).toContain("is ***");
      const entered = await bench.strake(["debug", "-c", "env; ls -A /run/secrets || true"], { env });
      expect(entered.code).toBe(0);
      expectClean(entered);
      expect(await findCanaries(bench.store)).toEqual([]);
    });

    it("are in no command line, and in the environment of no process but the step's own", async () => {
      const { child, ended, reached, release } = await startHeld(1);
      try {
        await reached();
        const processes = await listProcesses();
        const ours = descendantsOf(child.pid ?? 0, processes).filter(({ pid }) => pid !== child.pid);
        expect(ours.length).toBeGreaterThan(2);
        for (const { cmdline, program } of processes.filter(({ pid }) => pid !== child.pid))
          expect(hasCanary(cmdline) && !cmdline.includes("dist/cli.js"), program).toBe(false);
        const helpers = ours.filter(({ depth }) => depth < 3);
        expect(helpers.length).toBeGreaterThan(0);
        for (const { environ, program } of helpers) expect(hasCanary(environ), program).toBe(false);
        expect(await findCanaries(bench.store)).toEqual([]);
      } finally {
        await release();
      }
      expect(await ended).toBe(0);
    });

    it.skipIf(!existsSync("/dev/shm"))(
      "are in memory only while a step runs, and nowhere after the start that follows a SIGKILL",
      async () => {
        const { child, ended, reached, release } = await startHeld(2);
        try {
          await reached();
          const left = await memoryFolders(child.pid);
          expect(left).toHaveLength(1);
          expect((await findCanaries(left[0] ?? "")).length).toBeGreaterThan(1);
          child.kill("SIGKILL");
          await ended;
          expect(await findCanaries(bench.store)).toEqual([]);
        } finally {
          child.kill("SIGKILL");
          await release();
        }
        expect((await bench.strake(["images"])).code).toBe(0);
        // All stores share the place: a start of another one, in another test, may be removing it just now.
        await expect.poll(() => memoryFolders(child.pid), { timeout: 10_000 }).toEqual([]);
        expect(await findCanaries(bench.store)).toEqual([]);
      },
    );

    it("of registries and URLs go to their host and nowhere else", async () => {
      await bench.write("Dockerfile", `FROM ${webHost()}/private\n`, join(bench.folder, "from"));
      const fromRegistry = await bench.strake(["build", "--progress=plain", join(bench.folder, "from")], {
        env,
      });
      expect(fromRegistry.code).toBe(1);
      expectClean(fromRegistry);
      expect(authorizations.map((text) => Buffer.from(text.slice(6), "base64").toString())).toContain(
        `me:${CANARIES.registry}`,
      );
      await bench.write("Dockerfile", "FROM scratch\nCOPY --from=far / /\n", join(bench.folder, "url"));
      const url = `far=http://me:${CANARIES.url}@${webHost()}/context.tar`;
      const fromUrl = await bench.strake(
        ["build", "--progress=plain", "--build-context", url, join(bench.folder, "url")],
        { env },
      );
      expect(fromUrl.code).toBe(1);
      expectClean(fromUrl);
      const context = `http://me:${CANARIES.url}@${webHost()}/context.tar`;
      const asContext = await bench.strake(["build", "--progress=plain", context], { env });
      expect(asContext.code).toBe(1);
      expectClean(asContext);
      expect(await findCanaries(bench.store)).toEqual([]);
    });
  },
);

function expectClean({ stdout, stderr }: CliResult): void {
  for (const text of [stdout, stderr]) {
    expect(text).not.toMatch(/canary/);
    // Raw events have what was printed in base64.
    for (const [, chunk = ""] of text.matchAll(/"chunk":"([^"]*)"/g))
      expect(Buffer.from(chunk, "base64").toString()).not.toMatch(/canary-/);
    expect(hasCanary(Buffer.from(text))).toBe(false);
  }
}

function hasCanary(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return NEEDLES.some((needle) => buffer.includes(needle));
}

/** The part of a base64 text that does not depend on what stands around. */
function alignedBase64(before: string, text: string): string {
  const whole = Buffer.from(`${before}${text}`).toString("base64").replace(/=+$/, "");
  return whole.slice(Math.ceil((before.length * 4) / 3) + 1, -2);
}

/** Files at or below a path with a canary in them or in their names, also within gzip. */
async function findCanaries(path: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (file: string): Promise<void> => {
    const bytes = await readFile(file);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    if (hasCanary(bytes) || hasCanary(Buffer.from(file)) || (isGzip && hasCanary(gunzipSync(bytes))))
      found.push(file);
  };
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) await look(path);
  for (const entry of entries ?? []) if (entry.isFile()) await look(join(entry.parentPath, entry.name));
  return found;
}

/** What a process keeps in memory. */
async function memoryFolders(pid: number | undefined): Promise<string[]> {
  const names = await readdir("/dev/shm");
  return names.filter((name) => name.startsWith(`strake-${pid}-`)).map((name) => `/dev/shm/${name}`);
}

async function waitForFile(path: string): Promise<void> {
  for (let tries = 0; !existsSync(path); tries++) {
    if (tries > 1200) throw new Error(`${path} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly program: string;
  readonly cmdline: Buffer;
  readonly environ: Buffer;
  /** Of PID namespaces: 3 in a container of ours, one less for what sets it up. */
  readonly depth: number;
}

async function listProcesses(): Promise<ProcessFacts[]> {
  const facts: ProcessFacts[] = [];
  const depthHere = (await readFile("/proc/self/status", "utf8"))
    .match(/^NSpid:(.*)$/m)?.[1]
    ?.trim()
    .split(/\s+/).length;
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = await readFile(`/proc/${name}/status`, "utf8");
      facts.push({
        pid: Number(name),
        parent: Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]),
        program: await readlink(`/proc/${name}/exe`).catch(() => "?"),
        cmdline: await readFile(`/proc/${name}/cmdline`),
        environ: await readFile(`/proc/${name}/environ`),
        depth: (/^NSpid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/).length ?? 1) - (depthHere ?? 1) + 1,
      });
    } catch {
      // ended meanwhile
    }
  }
  return facts;
}

function descendantsOf(pid: number, processes: readonly ProcessFacts[]): ProcessFacts[] {
  const children = processes.filter(({ parent }) => parent === pid);
  return [
    ...processes.filter((one) => one.pid === pid),
    ...children.flatMap((one) => descendantsOf(one.pid, processes)),
  ];
}
