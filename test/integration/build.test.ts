import { execFileSync, spawnSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildProblem, stepsOf, Workbench } from "./support/workbench.ts";

const problem = buildProblem();
const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;

describe.skipIf(problem !== undefined)(
  `strake build${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let bench: Workbench;

    beforeAll(async () => {
      bench = await Workbench.create();
    });

    afterAll(() => bench[Symbol.asyncDispose]());

    beforeEach(() => rm(join(bench.context), { recursive: true, force: true }));

    it("runs two stages and copies from one to the other", async () => {
      await bench.write("message.txt", "hello\n");
      await bench.write(
        "Dockerfile",
        `FROM base AS build
WORKDIR /src
COPY message.txt .
ARG NAME=nobody
ENV GREETED=$NAME
RUN echo "$(cat message.txt) $GREETED" > out
FROM scratch
COPY --from=build /src/out /out
`,
      );
      const files = await bench.buildFiles(["--build-arg", "NAME=world"]);
      expect(Object.fromEntries(files)).toEqual({ "/out": "hello world\n" });
    });

    it("gives the same image when everything is cached, and does nothing again", async () => {
      await bench.write("Dockerfile", "FROM base\nRUN echo once > /x\nRUN echo twice > /y\nENV A=b\n");
      const first = await bench.build(["-q", "-t", "cached"]);
      const second = await bench.build(["-t", "cached"]);
      const third = await bench.build(["-q", "-t", "cached"]);
      expect(first.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
      expect(third.stdout).toBe(first.stdout);
      expect([...stepsOf(second.stderr).values()]).toEqual(["CACHED", "CACHED"]);
    });

    it("does a RUN again whose secret is now asked for in another way, not one whose secret is another", async () => {
      const build = async (options: string, secret: string): Promise<string | undefined> => {
        await bench.write("secret", secret);
        await bench.write(
          "Dockerfile",
          `FROM base\nRUN --mount=type=secret,id=s${options} stat -c "%a %u" /run/secrets/s > /x\n`,
        );
        const { stderr } = await bench.build(["--secret", `id=s,src=${join(bench.context, "secret")}`]);
        return [...stepsOf(stderr).values()].at(-1);
      };
      expect(await build("", "one")).toBe("DONE");
      expect(await build("", "two")).toBe("CACHED");
      for (const options of [",mode=0440", ",uid=5", ",gid=5", ",required=true"])
        expect(await build(options, "two"), options).toBe("DONE");
    });

    it("does again only what depends on a changed file", async () => {
      await bench.write("deps.txt", "1\n");
      await bench.write("main.txt", "1\n");
      await bench.write(
        "Dockerfile",
        "FROM base\nCOPY deps.txt /\nRUN cat /deps.txt > /installed\nCOPY main.txt /\nRUN cat /main.txt > /built\n",
      );
      await bench.build();
      await bench.write("main.txt", "2\n");
      const changed = await bench.build();
      expect(Object.fromEntries(stepsOf(changed.stderr))).toEqual({
        "COPY deps.txt /": "CACHED",
        "RUN cat /deps.txt > /installed": "CACHED",
        "COPY main.txt /": "DONE",
        "RUN cat /main.txt > /built": "DONE",
      });
    });

    it("keeps later steps cached when a step that ran again made the same files", async () => {
      const dockerfile = (comment: string): string =>
        `FROM base\nRUN echo ${comment} > /dev/null; echo same > /same\nRUN cat /same > /later\n`;
      await bench.write("Dockerfile", dockerfile("one"));
      const first = await bench.build(["-q"]);
      await bench.write("Dockerfile", dockerfile("two"));
      const second = await bench.build();
      expect([...stepsOf(second.stderr).values()]).toEqual(["DONE", "CACHED"]);
      expect(second.stderr).toContain("the earlier layer is kept");
      expect(first.code).toBe(0);
    });

    it("takes a new layer when a step sets another time on purpose", async () => {
      const timeOf = async (seconds: number): Promise<string> => {
        await bench.write(
          "Dockerfile",
          `FROM base AS a\nRUN touch -d @${seconds} /dated\nFROM base\nCOPY --from=a /dated /\nRUN stat -c %Y /dated > /time\n`,
        );
        return (await bench.buildFiles(["--no-cache"])).get("/time") ?? "";
      };
      expect(await timeOf(1_000_000_000)).toBe("1000000000\n");
      expect(await timeOf(1_100_000_000)).toBe("1100000000\n");
    });

    it("runs equal steps of two stages once", async () => {
      await bench.write(
        "Dockerfile",
        "FROM base AS a\nRUN echo shared > /s\nFROM base AS b\nRUN echo shared > /s\nFROM scratch\nCOPY --from=a /s /1\nCOPY --from=b /s /2\n",
      );
      const { stderr } = await bench.build(["--no-cache"]);
      expect(stderr.match(/RUN echo shared/g)).toHaveLength(1);
    });

    it("builds only what the target needs", async () => {
      await bench.write(
        "Dockerfile",
        "FROM base AS unused\nRUN exit 1\nFROM base AS wanted\nRUN echo yes > /yes\nFROM unused\nRUN exit 2\n",
      );
      const { code, stderr } = await bench.build(["--target", "WANTED"]);
      expect(code).toBe(0);
      expect([...stepsOf(stderr).keys()]).toEqual(["RUN echo yes > /yes"]);
    });

    it("leaves no trace of resolv.conf, hosts or mounts in a layer", async () => {
      await bench.write("secret", "s3cret\n");
      await bench.write(
        "Dockerfile",
        "FROM base\nRUN --mount=type=secret,id=s --mount=type=tmpfs,target=/scratch/deep cat /run/secrets/s /etc/resolv.conf /etc/hosts > /dev/null; test -d /scratch/deep\n",
      );
      const files = await bench.buildFiles(["--secret", `id=s,src=${join(bench.context, "secret")}`]);
      expect([...files.keys()].sort()).toEqual(["/etc/group", "/etc/passwd"]);
    });

    it("stacks 127 layers", async () => {
      const steps = Array.from({ length: 125 }, (_, i) => `COPY n /${i}`).join("\n");
      await bench.write("n", "n\n");
      await bench.write("Dockerfile", `FROM base\n${steps}\nRUN ls / | wc -l > /count\n`);
      const files = await bench.buildFiles();
      expect(Number(files.get("/count"))).toBeGreaterThanOrEqual(125);
    });

    it("gives every step the user, folder, groups and environment that Docker gives it", async () => {
      await bench.write(
        "Dockerfile",
        `FROM base
RUN mkdir /out && chmod 777 /out
ENV A=1
ARG B=2
USER bob
WORKDIR /home/bob/work
RUN id > /out/id; echo "$PWD $HOME $A $B" > /out/env; stat -c %U /home/bob/work > /out/owner
`,
      );
      const files = await bench.buildFiles();
      expect(files.get("/out/id")).toBe("uid=1000(bob) gid=1000(bob) groups=1000(bob)\n");
      expect(files.get("/out/env")).toBe("/home/bob/work /home/bob 1 2\n");
      expect(files.get("/out/owner")).toBe("bob\n");
    });

    it("keeps what a cache mount collects, and out of the image", async () => {
      const dockerfile = (n: number): string =>
        `FROM base\nRUN --mount=type=cache,target=/c echo ${n} >> /c/log; cat /c/log > /seen\n`;
      await bench.write("Dockerfile", dockerfile(1));
      await bench.buildFiles();
      await bench.write("Dockerfile", dockerfile(2));
      const files = await bench.buildFiles();
      expect(files.get("/seen")).toBe("1\n2\n");
      expect(files.has("/c/log")).toBe(false);
    });

    it("discards what is written to a bind mount", async () => {
      await bench.write("given", "given\n");
      await bench.write(
        "Dockerfile",
        "FROM base\nRUN --mount=target=/ctx,rw echo changed > /ctx/given; cat /ctx/given > /seen\nRUN --mount=target=/ctx cat /ctx/given > /again; ! touch /ctx/new\n",
      );
      const files = await bench.buildFiles();
      expect(files.get("/seen")).toBe("changed\n");
      expect(files.get("/again")).toBe("given\n");
      expect(await readFile(join(bench.context, "given"), "utf8")).toBe("given\n");
    });

    it.skipIf(!hasSkopeo)("writes an OCI archive that skopeo takes apart and finds whole", async () => {
      await bench.write("Dockerfile", "FROM base\nRUN echo x > /x\nLABEL a=b\n");
      const archive = join(bench.folder, "image.tar");
      const { code } = await bench.build(["-t", "example.com/app:1", "-o", `type=oci,dest=${archive}`]);
      expect(code).toBe(0);
      const target = join(bench.folder, "taken-apart");
      execFileSync("skopeo", ["copy", "-q", `oci-archive:${archive}`, `dir:${target}`]);
      const inspected = JSON.parse(
        execFileSync("skopeo", ["inspect", "--config", `oci-archive:${archive}`], { encoding: "utf8" }),
      ) as { config: { Labels: unknown }; rootfs: { diff_ids: string[] } };
      expect(inspected.config.Labels).toEqual({ a: "b" });
      expect(inspected.rootfs.diff_ids).toHaveLength(2);
    });

    it("dates nothing later than SOURCE_DATE_EPOCH, and gives one digest for ever", async () => {
      await bench.write("Dockerfile", "FROM base\nRUN echo x > /x && mkdir /d\nCOPY Dockerfile /d/\n");
      const digests: string[] = [];
      for (const store of ["store-a", "store-b"]) {
        const archive = join(bench.folder, `${store}.tar`);
        const result = await bench.build(
          [
            "--build-arg",
            "SOURCE_DATE_EPOCH=1500000000",
            "-o",
            `type=oci,dest=${archive},rewrite-timestamp=true`,
          ],
          { store: join(bench.folder, store) },
        );
        expect(result.code).toBe(0);
        digests.push(execFileSync("sha256sum", [archive], { encoding: "utf8" }).split(" ")[0] as string);
      }
      expect(digests[0]).toBe(digests[1]);
    });
  },
);
