// Makes the compiled code that src/cli/start.ts gives V8: of the functions that a build from the cache runs, and of those
// that a pull and copies from and to a registry run.
//
// build.mjs calls compile(), which runs this file as if it were dist/cli.js: it writes what was compiled when it ends.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const SELF = fileURLToPath(import.meta.url);
/** What dist/cli.js runs the command with: compiled code is taken only by whoever does all the same. */
const RUN_BUNDLE_TS = fileURLToPath(new URL("../src/cli/run-bundle.ts", import.meta.url));

/** Makes what the command's scripts are run with a module that Node can load. Returns its file. */
export function compileRunner(folder) {
  const runner = join(folder, "run-bundle.mjs");
  buildSync({ entryPoints: [RUN_BUNDLE_TS], outfile: runner, platform: "node", format: "esm" });
  return runner;
}

/**
 * Builds a small image twice in a store of its own: the second build, all cached, is what people wait for most often. Then
 * copies and pulls it, each time with the code compiled so far, which thereby stays.
 * @param scripts the command's, by their kind, as paths in `bundles`
 * @param runner what compileRunner() made
 * @returns the files it made, as paths in `bundles`
 */
export async function compile(bundles, scripts, runner) {
  const folder = mkdtempSync(join(tmpdir(), "strake-compile-"));
  try {
    const base = join(folder, "base");
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch AS base\nCOPY Dockerfile /\n");
    writeFileSync(
      join(folder, "Dockerfile.app"),
      'FROM base\nWORKDIR /app\nCOPY Dockerfile* .\nCMD ["app"]\n',
    );
    const { bundleFor, compiledFile } = await import(runner);
    const run = (argv, env = {}) =>
      spawnSync(process.execPath, [SELF, ...argv], {
        cwd: folder,
        env: {
          ...env,
          PATH: process.env.PATH,
          HOME: folder,
          STRAKE_ROOT: join(folder, "store"),
          COMPILE_AHEAD: join(bundles, scripts[bundleFor(argv[0])]),
          RUN_BUNDLE: runner,
        },
        stdio: "ignore",
      });
    run(["build", "-o", `type=oci,tar=false,dest=${base}`, "."]);
    const build = [
      "build",
      "-t",
      "app",
      "-f",
      "Dockerfile.app",
      "--build-context",
      `base=oci-layout://${base}`,
      ".",
    ];
    run(build);
    rmSync(join(bundles, compiledFile(scripts.all)), { force: true });
    run(build);
    const transfers = [
      ["copy", `oci:${base}`, "REGISTRY/app:1"],
      ["copy", "REGISTRY/app:1", `oci:${folder}/copy`],
      ["pull", "REGISTRY/app:1"],
    ];
    for (const transfer of transfers) run(transfer, { COMPILE_SERVED: base });
    return Object.values(scripts)
      .map(compiledFile)
      .filter((file) => existsSync(join(bundles, file)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param served an image layout, for commands that speak to a registry */
async function runAndKeep(script, served) {
  const { compileBundle, compiledFile, runBundle } = await import(process.env.RUN_BUNDLE);
  const compiled = compiledFile(script);
  const isTransfer = served !== undefined;
  const code = compileBundle(script, isTransfer && existsSync(compiled) ? readFileSync(compiled) : undefined);
  process.on("exit", () => {
    // In a user namespace the command runs itself again: that process was first, and has compiled more.
    if (!isTransfer && existsSync(compiled)) return;
    const file = `${compiled}.${process.pid}`;
    writeFileSync(file, code.createCachedData());
    renameSync(file, compiled);
  });
  if (isTransfer) {
    const registry = await serveLayout(served);
    process.argv = process.argv.map((argument) => argument.replace("REGISTRY", registry));
  }
  runBundle(code, script);
}

/** A registry with the image of a layout under every name, which takes whatever is pushed to it and keeps nothing. */
async function serveLayout(layout) {
  const { createServer } = await import("node:http");
  const [root] = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://registry");
    const digest = searchParams.get("digest") ?? /sha256:[0-9a-f]{64}$/.exec(pathname)?.[0] ?? root.digest;
    const answer = (status, headers = {}, body = "") => {
      request.resume().on("end", () => response.writeHead(status, headers).end(body));
    };
    if (request.method === "PUT") answer(201, { "docker-content-digest": digest });
    else if (request.method === "POST") answer(202, { location: `${pathname}1` });
    else if (request.method === "HEAD") answer(404);
    else if (pathname === "/v2/") answer(200);
    else {
      const body = readFileSync(join(layout, "blobs", digest.replace(":", "/")));
      answer(200, { "content-type": root.mediaType, "content-length": body.byteLength }, body);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${server.address().port}`;
}

if (process.argv[1] === SELF) {
  const { COMPILE_AHEAD, COMPILE_SERVED } = process.env;
  await runAndKeep(COMPILE_AHEAD, COMPILE_SERVED);
}
