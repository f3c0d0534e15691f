import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commitFiles, type GitServer, git, hasGit, startGitServer } from "../support/git-server.ts";
import { buildProblem, type CliResult, stepsOf, Workbench } from "./support/workbench.ts";

const problem = buildProblem() ?? (hasGit ? undefined : "needs git with its http-backend");

/** When the fixtures' commits were made. */
const COMMIT_TIME = 1_700_000_000;

describe.skipIf(problem !== undefined)(
  `strake build with git repositories${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let bench: Workbench;
    let server: GitServer;
    let folder: string;
    let url: string;

    beforeEach(async () => {
      bench = await Workbench.create();
      server = await startGitServer();
      folder = await server.createRepository("app", {
        Dockerfile: "FROM scratch\nCOPY . /\n",
        ".dockerignore": "a.txt\n",
        "a.txt": "a\n",
        "deep/er/Dockerfile": "FROM scratch\nCOPY b.txt /from-deep\n",
        "deep/er/b.txt": "b\n",
      });
      url = `${server.url}/app.git`;
    });

    afterEach(async () => {
      await server[Symbol.asyncDispose]();
      await bench[Symbol.asyncDispose]();
    });

    async function filesOf(args: readonly string[]): Promise<ReadonlyMap<string, string>> {
      const out = join(bench.folder, "out");
      await rm(out, { recursive: true, force: true });
      const { code, stderr } = await bench.strake(["build", "-o", out, ...args]);
      if (code !== 0) throw new Error(stderr);
      const files = new Map<string, string>();
      for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        files.set(path.slice(out.length + 1), await readFile(path, "utf8"));
      }
      return files;
    }

    async function addFiles(instruction: string): Promise<ReadonlyMap<string, string>> {
      await bench.write("Dockerfile", `FROM scratch\n${instruction}\n`);
      return filesOf([bench.context]);
    }

    function failed({ code, stderr }: CliResult): string {
      expect(code).not.toBe(0);
      expect(stderr).not.toMatch(/^\s+at .*\.(js|ts):\d+/m);
      return stderr;
    }

    it("builds the default branch, without .git and with what .dockerignore names, as Docker does", async () => {
      const files = await filesOf([url]);
      expect([...files.keys()].sort()).toEqual([
        ".dockerignore",
        "Dockerfile",
        "a.txt",
        "deep/er/Dockerfile",
        "deep/er/b.txt",
      ]);
    });

    it("gives files the modes of git and the time of the commit, whatever the umask is", async () => {
      await writeFile(join(folder, "run"), "#!/bin/sh\n");
      await chmod(join(folder, "run"), 0o755);
      await symlink("a.txt", join(folder, "link"));
      await commitFiles(folder, {});
      const old = process.umask(0o077);
      try {
        await filesOf([url]);
      } finally {
        process.umask(old);
      }
      const out = join(bench.folder, "out");
      expect((await stat(join(out, "run"))).mode & 0o777).toBe(0o755);
      expect((await stat(join(out, "a.txt"))).mode & 0o777).toBe(0o644);
      expect((await stat(join(out, "deep"))).mode & 0o777).toBe(0o755);
      expect((await stat(join(out, "a.txt"))).mtimeMs).toBe(COMMIT_TIME * 1000);
    });

    it("builds branches, tags, commits, pull requests and subfolders", async () => {
      const first = await git(folder, "rev-parse", "HEAD");
      await git(folder, "tag", "-a", "v1", "-m", "a tag");
      await git(folder, "checkout", "-q", "-b", "feature/x");
      await commitFiles(folder, { "a.txt": "x\n" });
      await git(folder, "update-ref", "refs/pull/7/head", "HEAD");
      await git(folder, "checkout", "-q", "main");
      await commitFiles(folder, { "a.txt": "later\n" });
      expect((await filesOf([url])).get("a.txt")).toBe("later\n");
      expect((await filesOf([`${url}#v1`])).get("a.txt")).toBe("a\n");
      expect((await filesOf([`${url}#${first}`])).get("a.txt")).toBe("a\n");
      expect((await filesOf([`${url}#feature/x`])).get("a.txt")).toBe("x\n");
      expect((await filesOf([`${url}#refs/pull/7/head`])).get("a.txt")).toBe("x\n");
      expect((await filesOf([`${url}?branch=feature/x`])).get("a.txt")).toBe("x\n");
      expect([...(await filesOf([`${url}#v1:deep/er`]))]).toEqual([["from-deep", "b\n"]]);
    });

    it("asks the remote once when nothing changed, and not at all for a commit that it has", async () => {
      await filesOf([url]);
      const before = server.requests.length;
      const out = join(bench.folder, "out");
      const again = await bench.strake(["build", "-o", out, url]);
      expect(stepsOf(again.stderr).get("COPY . /")).toBe("CACHED");
      expect(server.requests.slice(before).filter((request) => request.startsWith("GET"))).toHaveLength(1);
      const commit = await git(folder, "rev-parse", "HEAD");
      const asked = server.requests.length;
      await filesOf([`${url}#${commit}`]);
      expect(server.requests).toHaveLength(asked);
    });

    it.each([
      ["ADD takes", (commit: string) => [`ADD ${url}#${commit} /app/`, []] as const],
      [
        "a RUN mounts",
        (commit: string) =>
          [
            "RUN --mount=type=bind,from=far,target=/far cp -r /far /app",
            ["--build-context", `far=${url}#${commit}`],
          ] as const,
      ],
    ])("fetches what %s beside a step that runs before it", async (what, takeFrom) => {
      await commitFiles(folder, { "for.txt": what });
      const commit = await git(folder, "rev-parse", "HEAD");
      const wait = "i=0; until [ -e /meet/go ]; do sleep 0.05; i=$((i+1)); [ $i -lt 1200 ] || exit 9; done";
      const [take, args] = takeFrom(commit);
      const run = `RUN --mount=type=cache,id=${commit},target=/meet touch /meet/began; ${wait}`;
      await bench.write("Dockerfile", `FROM base\n${run}\n${take}\n`);
      const before = server.requests.length;
      const building = bench.buildFiles(args);
      const mounts = join(bench.store, "cache", "mounts");
      const isThere = async (): Promise<boolean> =>
        (await readdir(mounts, { recursive: true }).catch(() => [])).some((path) => path.endsWith("/began"));
      await expect.poll(isThere, { timeout: 60_000 }).toBe(true);
      // Asked for by its ID, nothing but fetching asks the server.
      await expect.poll(() => server.requests.length, { timeout: 60_000 }).toBeGreaterThan(before);
      const [cache = ""] = await readdir(mounts);
      await writeFile(join(mounts, cache, "go"), "");
      expect((await building).get("/app/for.txt")).toBe(what);
      const asked = server.requests.length;
      expect((await bench.buildFiles(args)).get("/app/for.txt")).toBe(what);
      expect(server.requests).toHaveLength(asked);
    });

    it("sees what is pushed to a branch", async () => {
      await filesOf([url]);
      await commitFiles(folder, { "a.txt": "new\n" });
      expect((await filesOf([url])).get("a.txt")).toBe("new\n");
      await git(folder, "commit", "-q", "--amend", "-m", "rewritten");
      await commitFiles(folder, { "a.txt": "forced\n" });
      expect((await filesOf([url])).get("a.txt")).toBe("forced\n");
    });

    it("is used by several builds at once", async () => {
      const runs = await Promise.all(
        [1, 2, 3].map((n) => bench.strake(["build", "-o", join(bench.folder, `out${n}`), url])),
      );
      expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
      for (const n of [1, 2, 3])
        expect(await readFile(join(bench.folder, `out${n}/a.txt`), "utf8")).toBe("a\n");
    });

    it("fetches submodules, unless told not to, and leaves none of their .git files", async () => {
      await server.createRepository("module", { "inner.txt": "inner\n" });
      await git(folder, "submodule", "add", "-q", `${server.url}/module.git`, "module");
      // As most repositories say it: relative to themselves.
      await git(folder, "config", "-f", ".gitmodules", "submodule.module.url", "../module.git");
      await commitFiles(folder, {});
      const files = await filesOf([url]);
      expect(files.get("module/inner.txt")).toBe("inner\n");
      expect(files.has("module/.git")).toBe(false);
      expect((await filesOf([`${url}?submodules=false`])).has("module/inner.txt")).toBe(false);
    });

    it("adds repositories, also with their .git, and is cached by their commit", async () => {
      await git(folder, "tag", "-a", "v1", "-m", "a tag");
      expect((await addFiles(`ADD ${url}#v1 /src/`)).get("src/a.txt")).toBe("a\n");
      const before = server.requests.length;
      const again = await bench.build();
      expect(stepsOf(again.stderr).get(`ADD ${url}#v1 /src/`)).toBe("CACHED");
      expect(server.requests.slice(before).filter((request) => request.startsWith("GET"))).toHaveLength(1);
      await addFiles(`ADD --keep-git-dir=true ${url}#v1 /src/`);
      const out = join(bench.folder, "out/src");
      expect(await git(out, "-c", "safe.directory=*", "log", "--format=%s")).toBe("the first commit");
      expect(await git(out, "-c", "safe.directory=*", "describe", "--tags")).toBe("v1");
      expect(await git(out, "-c", "safe.directory=*", "status", "--short")).toBe("");
      expect(await git(out, "-c", "safe.directory=*", "remote", "get-url", "origin")).toBe(url);
    });

    it("keeps .git of a context when BUILDKIT_CONTEXT_KEEP_GIT_DIR says so", async () => {
      const files = await filesOf(["--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", url]);
      expect(files.get(".git/HEAD")).toMatch(/^[0-9a-f]{40}\n$/);
    });

    it("checks the commit", async () => {
      const commit = await git(folder, "rev-parse", "HEAD");
      expect((await addFiles(`ADD --checksum=${commit} ${url} /`)).get("a.txt")).toBe("a\n");
      expect((await addFiles(`ADD ${url}?checksum=${commit.slice(0, 8)} /`)).get("a.txt")).toBe("a\n");
      await bench.write("Dockerfile", `FROM scratch\nADD --checksum=${"0".repeat(40)} ${url} /\n`);
      expect(failed(await bench.build())).toMatch(
        /expected checksum to match 0+, got [0-9a-f]{40}[\s\S]*Dockerfile:2/,
      );
    });

    it("uses one as a named context", async () => {
      await bench.write("Dockerfile", "FROM scratch\nCOPY --from=src a.txt /named\n");
      const files = await filesOf(["--build-context", `src=${url}#main`, bench.context]);
      expect([...files]).toEqual([["named", "a\n"]]);
    });

    it("takes the Dockerfile of a repository with a context of its own, and the other way round", async () => {
      await bench.write("my.Dockerfile", "FROM scratch\nCOPY a.txt /mine\n");
      const files = await filesOf(["-f", join(bench.context, "my.Dockerfile"), url]);
      expect([...files]).toEqual([["mine", "a\n"]]);
    });

    it("shows lines of a Dockerfile in there, and checks it without building", async () => {
      await commitFiles(folder, { Dockerfile: "FROM scratch\nCOPY nothing /\n" });
      const text = failed(await bench.strake(["build", url]));
      expect(text).toContain("Dockerfile:2");
      expect(text).toContain(">>> COPY nothing /");
      await commitFiles(folder, { Dockerfile: "from scratch\nCOPY a.txt /\n" });
      const checked = await bench.strake(["build", "--check", url]);
      expect(checked).toMatchObject({
        code: 1,
        stdout: expect.stringContaining("ConsistentInstructionCasing"),
      });
    });

    it("says what is missing, and what there is", async () => {
      expect(failed(await bench.strake(["build", `${url}#mian`]))).toMatch(
        /does not contain ref mian[\s\S]*Did you mean "main"/,
      );
      expect(failed(await bench.strake(["build", `${url}#:depe`]))).toMatch(
        /Cannot use "depe"[\s\S]*the folders deep/,
      );
      expect(failed(await bench.strake(["build", `${url}#:deep`]))).toContain(
        "open Dockerfile: no such file",
      );
      expect(failed(await bench.strake(["build", `${server.url}/other.git`]))).toMatch(/not found/);
      expect(failed(await bench.strake(["build", `${url}#${"0".repeat(40)}`]))).toContain(
        `does not have the commit ${"0".repeat(40)}`,
      );
    });

    it("follows no link out of the repository", async () => {
      await symlink("/etc", join(folder, "outside"));
      await rm(join(folder, "Dockerfile"));
      await symlink("/etc/passwd", join(folder, "Dockerfile"));
      await commitFiles(folder, {});
      expect(failed(await bench.strake(["build", `${url}#:outside`]))).toContain('"outside" is no folder');
      const text = failed(await bench.strake(["build", url]));
      expect(text).toContain("no such file or directory");
      expect(text).not.toContain("root:x");
    });

    it("runs nothing that a repository brings: hooks, filters, programs for submodules", async () => {
      const proof = join(bench.folder, "pwned");
      await mkdir(join(folder, "hooks"));
      await writeFile(join(folder, ".gitattributes"), "* filter=evil\n");
      await writeFile(join(folder, "hooks/post-checkout"), `#!/bin/sh\ntouch ${proof}\n`);
      await chmod(join(folder, "hooks/post-checkout"), 0o755);
      await commitFiles(folder, {
        ".gitconfig": `[filter "evil"]\n\tsmudge = touch ${proof}\n[core]\n\thooksPath = hooks\n`,
      });
      // A user's own configuration does not count either: HOME is the workbench.
      await writeFile(
        join(bench.folder, ".gitconfig"),
        `[filter "evil"]\n\tsmudge = touch ${proof}\n[core]\n\thooksPath = ${folder}/hooks\n`,
      );
      expect((await filesOf([url])).get("a.txt")).toBe("a\n");
      await expect(stat(proof)).rejects.toThrow("ENOENT");
    });

    it("fetches no submodule from this machine", async () => {
      await commitFiles(folder, {
        ".gitmodules": '[submodule "m"]\n\tpath = m\n\turl = file:///etc\n',
      });
      const commit = await git(folder, "rev-parse", "HEAD");
      await git(folder, "update-index", "--add", "--cacheinfo", `160000,${commit},m`);
      await git(folder, "commit", "-q", "-m", "a submodule");
      expect(failed(await bench.strake(["build", url]))).toMatch(/transport 'file' not allowed/);
    });

    it("reads from a server that has only files", async () => {
      await using dumb = await startGitServer({ smart: false });
      const plain = await dumb.createRepository("plain", {
        Dockerfile: "FROM scratch\nCOPY x /\n",
        x: "1\n",
      });
      await git(plain, "update-server-info");
      expect([...(await filesOf([`${dumb.url}/plain.git`]))]).toEqual([["x", "1\n"]]);
    });

    describe("that are private", () => {
      const token = "s3cr3t-t0ken";
      const header = `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
      let closed: GitServer;
      let secretUrl: string;

      beforeEach(async () => {
        closed = await startGitServer({ authorization: header });
        await closed.createRepository("app", { Dockerfile: "FROM scratch\nCOPY x /\n", x: "1\n" });
        secretUrl = `${closed.url}/app.git`;
      });

      afterEach(() => closed[Symbol.asyncDispose]());

      it("takes a token as a secret, for the host or for all", async () => {
        const env = { TOKEN: token };
        for (const id of ["GIT_AUTH_TOKEN", `GIT_AUTH_TOKEN.${closed.host}`]) {
          const args = ["build", "--secret", `id=${id},env=TOKEN`, secretUrl];
          const { code, stderr } = await bench.strake(args, { env, store: join(bench.folder, id) });
          expect(code, stderr).toBe(0);
          expect(stderr).not.toContain(token);
        }
      });

      it("takes credentials in the address, and keeps them nowhere", async () => {
        const withCredentials = secretUrl.replace("//", `//x-access-token:${token}@`);
        await bench.write("Dockerfile", `FROM scratch\nADD --keep-git-dir=true ${withCredentials} /\n`);
        const out = join(bench.folder, "image");
        const { code, stderr } = await bench.build(["-o", `type=oci,tar=false,dest=${out}`]);
        expect(code, stderr).toBe(0);
        expect(stderr).not.toContain(token);
        for (const place of [out, bench.store]) expect(await placesOf(place, token)).toEqual([]);
      });

      it("says how to give them, and does not wait for anybody to type", async () => {
        const text = failed(await bench.strake(["build", secretUrl]));
        expect(text).toContain("--secret id=GIT_AUTH_TOKEN");
        const wrong = await bench.strake(["build", secretUrl.replace("//", "//me:wr0ng-p4ss@")]);
        expect(failed(wrong)).not.toContain("wr0ng-p4ss");
      });
    });

    it("wants an agent for ssh", async () => {
      expect(failed(await bench.strake(["build", "git@127.0.0.1:app.git"]))).toMatch(
        /no SSH agent is given[\s\S]*--ssh default/,
      );
    });

    it("says so when there is no git", async () => {
      const empty = join(bench.folder, "bin");
      await mkdir(empty);
      const text = failed(await bench.strake(["build", url], { env: { PATH: empty } }));
      expect(text).toMatch(/git: not found[\s\S]*apt-get install git/);
    });
  },
);

/** The files below a folder that contain a text. */
async function placesOf(root: string, text: string): Promise<readonly string[]> {
  const places: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(text)) places.push(path);
  }
  return places;
}
