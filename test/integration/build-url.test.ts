import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildProblem, stepsOf, Workbench } from "./support/workbench.ts";

const problem = buildProblem();

describe.skipIf(problem !== undefined)(
  `strake build with URLs${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let bench: Workbench;
    let server: Server;
    let url: string;
    /** What is served: by path. */
    const served = new Map<string, Buffer>();
    const requests: string[] = [];

    beforeEach(async () => {
      bench = await Workbench.create();
      served.clear();
      requests.length = 0;
      server = createServer((request, response) => {
        requests.push(`${request.method} ${request.url}`);
        const content = served.get(request.url ?? "");
        if (content === undefined) return void response.writeHead(404).end();
        if (request.headers["if-none-match"] === `"${content.length}"`)
          return void response.writeHead(304).end();
        const headers = { etag: `"${content.length}"`, "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT" };
        response.writeHead(200, headers).end(content);
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await bench.write("Dockerfile", "FROM scratch\nCOPY . /\n");
      await bench.write("a.txt", "a\n");
      await bench.write(".dockerignore", "a.txt\n");
    });

    afterEach(async () => {
      server.closeAllConnections();
      server.close();
      await bench[Symbol.asyncDispose]();
    });

    function pack(...flags: readonly string[]): Buffer {
      return execFileSync("tar", ["-C", bench.context, ...flags, "-cf", "-", "."]);
    }

    async function namesOf(args: readonly string[]): Promise<readonly string[]> {
      const out = join(bench.folder, "out");
      await rm(out, { recursive: true, force: true });
      const { code, stderr } = await bench.strake(["build", "-o", out, ...args]);
      if (code !== 0) throw new Error(stderr);
      return (await readdir(out)).sort();
    }

    it.each([["-z"], ["-j"], ["--zstd"], []])(
      "builds an archive (tar %s), all of it, as Docker does",
      async (...flags) => {
        served.set("/context", pack(...flags));
        expect(await namesOf([`${url}/context`])).toEqual([".dockerignore", "Dockerfile", "a.txt"]);
      },
    );

    it("keeps the owners of an archive, for COPY and for mounts", async () => {
      await bench.write(
        "Dockerfile",
        'FROM base\nRUN --mount=target=/m stat -c "%u:%g" /m/a.txt > /mounted\nCOPY a.txt /\nRUN stat -c "%u:%g" /a.txt > /copied\n',
      );
      served.set("/context", pack("--owner=5", "--group=6"));
      const out = join(bench.folder, "owned");
      const base = `base=oci-layout://${bench.base}`;
      const built = await bench.strake(["build", "--build-context", base, "-o", out, `${url}/context`]);
      expect(built.code, built.stderr).toBe(0);
      const found = ["mounted", "copied"].map((name) => readFile(join(out, name), "utf8"));
      expect(await Promise.all(found)).toEqual(["5:6\n", "5:6\n"]);
    });

    it("builds a Dockerfile alone, whose context is that file", async () => {
      served.set("/any", Buffer.from("FROM scratch\nCOPY . /\n"));
      expect(await namesOf([`${url}/any`])).toEqual(["context"]);
      const { mode, mtimeMs } = await stat(join(bench.folder, "out/context"));
      expect([mode & 0o777, mtimeMs]).toEqual([0o600, 1_700_000_000_000]);
    });

    it("takes the Dockerfile from a URL, for a context from anywhere", async () => {
      served.set("/my.Dockerfile", Buffer.from("FROM scratch\nCOPY Dockerfile /here\n"));
      served.set("/context", pack("-z"));
      expect(await namesOf(["-f", `${url}/my.Dockerfile`, bench.context])).toEqual(["here"]);
      expect(await namesOf(["-f", `${url}/my.Dockerfile`, `${url}/context`])).toEqual(["here"]);
    });

    it("shows the lines of such a Dockerfile, without credentials in its name", async () => {
      served.set("/my.Dockerfile", Buffer.from("FROM scratch\nCOPY nothing /\n"));
      const withCredentials = `${url.replace("//", "//me:s3cr3t@")}/my.Dockerfile`;
      const { code, stderr } = await bench.strake(["build", "-f", withCredentials, bench.context]);
      expect(code).toBe(1);
      expect(stderr).toContain(">>> COPY nothing /");
      expect(stderr).not.toContain("s3cr3t");
    });

    it("uses a Dockerfile of its own inside an archive, or one of this machine", async () => {
      await mkdir(join(bench.context, "sub"));
      await bench.write("sub/dockerfile", "FROM scratch\nCOPY a.txt /inside\n");
      served.set("/context", pack("-z"));
      expect(await namesOf(["-f", "sub/Dockerfile", `${url}/context`])).toEqual(["inside"]);
      await bench.write("mine", "FROM scratch\nCOPY a.txt /mine\n", bench.folder);
      expect(await namesOf(["-f", join(bench.folder, "mine"), `${url}/context`])).toEqual(["mine"]);
    });

    it("unpacks an archive as a named context, and shows another file as it is", async () => {
      served.set("/context", pack("-z"));
      served.set("/file", Buffer.from("one file\n"));
      await bench.write(
        "named.Dockerfile",
        "FROM scratch\nCOPY --from=files a.txt /\nCOPY --from=one context /one\n",
      );
      const names = await namesOf([
        ...["--build-context", `files=${url}/context`, "--build-context", `one=${url}/file`],
        ...["-f", join(bench.context, "named.Dockerfile"), bench.context],
      ]);
      expect(names).toEqual(["a.txt", "one"]);
      expect(await readFile(join(bench.folder, "out/one"), "utf8")).toBe("one file\n");
    });

    it("does not move again what has not changed, and asks nobody for a file whose checksum it knows", async () => {
      served.set("/file", Buffer.from("content\n"));
      const sum = execFileSync("sha256sum", { input: "content\n", encoding: "utf8" }).split(" ")[0];
      const add = `ADD --checksum=sha256:${sum} ${url}/file /`;
      await bench.write("Dockerfile", `FROM scratch\n${add}\n`);
      expect((await bench.build()).code).toBe(0);
      expect(requests).toHaveLength(1);
      const again = await bench.build();
      expect(stepsOf(again.stderr).get(add)).toBe("CACHED");
      expect(requests).toHaveLength(1);
      await bench.write("Dockerfile", `FROM scratch\nADD ${url}/file /\n`);
      expect((await bench.build()).code).toBe(0);
      expect(requests).toHaveLength(2);
    });

    it("downloads what ADD takes beside the steps before it, once for all that take it", async () => {
      served.set("/late", Buffer.from("late\n"));
      // The step ends only when the server has been asked for the file of the step behind it.
      const asked = `/bin/busybox wget -q -O /dev/null ${url}/is-asked`;
      const until = `i=0; until ${asked}; do sleep 0.05; i=$((i+1)); [ $i -lt 600 ] || exit 9; done`;
      await bench.write("Dockerfile", `FROM base\nRUN ${until}\nADD ${url}/late /a\nADD ${url}/late /b\n`);
      server.prependListener("request", ({ url: path }) => {
        if (path === "/late") served.set("/is-asked", Buffer.from("yes\n"));
      });
      const files = await bench.buildFiles(["--network=host"]);
      expect(["/a", "/b"].map((path) => files.get(path))).toEqual(["late\n", "late\n"]);
      expect(requests.filter((request) => request.endsWith("/late"))).toHaveLength(1);
    });

    it("keeps a file that is no longer the newest for a build that reads it", async () => {
      served.set("/changing", Buffer.from("one\n"));
      const flag = `/bin/busybox wget -q -O /dev/null ${url}/go-on`;
      const until = `i=0; until ${flag}; do sleep 0.05; i=$((i+1)); [ $i -lt 600 ] || exit 9; done`;
      await bench.write("Dockerfile", `FROM base\nRUN ${until}\nADD ${url}/changing /file\n`);
      await bench.write("other.Dockerfile", `FROM scratch\nADD ${url}/changing /file\n`);
      const first = bench.buildFiles();
      await expect.poll(() => requests.includes("GET /go-on"), { timeout: 60_000 }).toBe(true);
      served.set("/changing", Buffer.from("second\n"));
      const second = await bench.buildFiles(["-f", join(bench.context, "other.Dockerfile")]);
      served.set("/go-on", Buffer.from("yes\n"));
      expect(second.get("/file")).toBe("second\n");
      expect((await first).get("/file")).toBe("one\n");
      const [kept = ""] = await readdir(join(bench.store, "cache", "http"));
      expect(await readdir(join(bench.store, "cache", "http", kept))).toHaveLength(2);
    });

    it("says what is wrong", async () => {
      const missing = await bench.strake(["build", `${url}/nothing`]);
      expect(missing.code).toBe(1);
      expect(missing.stderr).toContain(`Cannot download "${url}/nothing": invalid response status 404`);
      served.set("/damaged", Buffer.concat([pack("-z").subarray(0, 100), Buffer.alloc(50)]));
      const damaged = await bench.strake(["build", `${url}/damaged`]);
      expect(damaged.code).toBe(1);
      expect(damaged.stderr).toMatch(
        /Cannot read the build context.*[\s\S]*The archive at "http.*\/damaged" must be a tar/,
      );
      served.set("/xz", pack("-J"));
      const xz = await bench.strake(["build", `${url}/xz`]);
      expect(xz.stderr).toMatch(/compressed with xz[\s\S]*xz -dc/);
      expect(damaged.stderr).not.toMatch(/^\s+at /m);
      expect(await readdir(join(bench.store, "cache", "http"))).not.toEqual([]);
    });
  },
);
