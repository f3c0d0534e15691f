// Makes the compiled code that src/cli/start.ts gives V8: of the functions that a build from the cache runs, and of those
// that a pull, a push and copies from and to a registry run.
//
// build.mjs calls compile(), which runs this file as if it were dist/cli.js: it writes what was compiled when it ends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
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
 * copies, pulls and pushes it, each time with the code compiled so far, which thereby stays.
 * @param scripts the command's, by their kind, as paths in `bundles`
 * @param runner what compileRunner() made
 * @returns the files it made, as paths in `bundles`
 */
export async function compile(bundles, scripts, runner) {
  const folder = mkdtempSync(join(tmpdir(), "strake-compile-"));
  const base = join(folder, "base");
  const registry = await serveLayout(base);
  try {
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch AS base\nCOPY Dockerfile /\n");
    writeFileSync(
      join(folder, "Dockerfile.app"),
      'FROM base\nWORKDIR /app\nCOPY Dockerfile* .\nCMD ["app"]\n',
    );
    const { bundleFor, compiledFile } = await import(runner);
    const run = async (argv) => {
      const child = spawn(process.execPath, [SELF, ...argv], {
        cwd: folder,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          STRAKE_ROOT: join(folder, "store"),
          COMPILE_AHEAD: join(bundles, scripts[bundleFor(argv[0])]),
          RUN_BUNDLE: runner,
        },
        stdio: "ignore",
      });
      await once(child, "exit");
    };
    await run(["build", "-o", `type=oci,tar=false,dest=${base}`, "."]);
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
    await run(build);
    rmSync(join(bundles, compiledFile(scripts.all)), { force: true });
    await run(build);
    const image = `${registry.host}/app:1`;
    const transfers = [
      ["copy", `oci:${base}`, image],
      ["copy", image, `oci:${folder}/copy`],
      ["pull", image],
      ["push", image],
    ];
    for (const transfer of transfers) await run(transfer);
    return Object.values(scripts)
      .map(compiledFile)
      .filter((file) => existsSync(join(bundles, file)));
  } finally {
    registry.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runAndKeep(script) {
  const { bundleFor, compileBundle, compiledFile, runBundle } = await import(process.env.RUN_BUNDLE);
  const compiled = compiledFile(script);
  // What one transfer compiled stays for the next.
  const isMore = bundleFor(process.argv[2]) === "transfers";
  const code = compileBundle(script, isMore && existsSync(compiled) ? readFileSync(compiled) : undefined);
  process.on("exit", () => {
    // In a user namespace the command runs itself again: that process was first, and has compiled more.
    if (!isMore && existsSync(compiled)) return;
    const file = `${compiled}.${process.pid}`;
    writeFileSync(file, code.createCachedData());
    renameSync(file, compiled);
  });
  runBundle(code, script);
}

/** A registry with the image of a layout, once that is there, under every name. It takes whatever is pushed and keeps nothing. */
async function serveLayout(layout) {
  const server = createServer((request, response) => {
    const [status, headers, body] = answerTo(request, layout);
    request.resume().on("end", () => response.writeHead(status, headers).end(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { host: `127.0.0.1:${server.address().port}`, close };
}

function answerTo({ method, url }, layout) {
  const { pathname, searchParams } = new URL(url, "http://registry");
  const asked = searchParams.get("digest") ?? /sha256:[0-9a-f]{64}$/.exec(pathname)?.[0];
  if (method === "PUT") return [201, asked === undefined ? {} : { "docker-content-digest": asked }];
  if (method === "POST") return [202, { location: `${pathname}1` }];
  if (method === "HEAD") return [404];
  if (pathname === "/v2/") return [200];
  try {
    const [root] = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests;
    const body = readFileSync(join(layout, "blobs", (asked ?? root.digest).replace(":", "/")));
    return [200, { "content-type": root.mediaType, "content-length": body.byteLength }, body];
  } catch {
    return [404];
  }
}

if (process.argv[1] === SELF) {
  await runAndKeep(process.env.COMPILE_AHEAD);
}
