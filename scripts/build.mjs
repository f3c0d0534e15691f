// Bundles src/ into dist/: one ESM file per public door of the library, shared chunks beside them, and declarations in
// dist/types; the command as two scripts with their compiled code beside them, one of which dist/cli.js starts (src/cli/start.ts).
// `--no-types` leaves the declarations out, for a quick turn while working on the code.
import { spawn } from "node:child_process";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import nodeModule from "node:module";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import {
  builtinsForCommonJs,
  commonJsWhenUsed,
  heavyBuiltinsWhenUsed,
  namedExportsOfCommonJs,
  onlyCommands,
} from "./bundle-plugins.mjs";
import { compile, compileRunner } from "./compile-ahead.mjs";
import { createStaging, finish, listFiles, moveIn } from "./publish-dist.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(await readFile(`${root}package.json`, "utf8"));

const dist = join(root, "dist");
const staging = await createStaging(dist);

/** Doors that are one file each, besides what other doors have: every file more takes a millisecond to load. */
const WHOLE_DOORS = {
  parser: "src/parser/index.ts",
  // Apart, so that who only parses doesn't load what makes JSON of it, and all the rules.
  "parser-json": "src/parser/json/index.ts",
  "parser-advice": "src/parser/lint/advice/index.ts",
};

/** Doors that share chunks. */
const DOORS = {
  index: "src/index.ts",
  registry: "src/registry/index.ts",
};

const COMMON = {
  absWorkingDir: root,
  outdir: staging,
  bundle: true,
  platform: "node",
  target: "node20.18",
  // koffi finds its native library beside its own files, so it has to stay a package of its own.
  external: ["koffi"],
  define: { STRAKE_VERSION: JSON.stringify(version) },
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  plugins: [builtinsForCommonJs, namedExportsOfCommonJs],
};

/** For what must be loaded in a few milliseconds: a third of the time is V8 reading blanks and long names. */
const QUICK_TO_READ = { minify: true, lineLimit: 160, sourcemap: "linked" };

const [WRAPPER_START, WRAPPER_END] = nodeModule.wrapper;

/** What stands in another door's file is imported from there, so that a class is the same one behind all doors. */
function fromOtherDoors(homes) {
  return {
    name: "from-other-doors",
    setup(bundler) {
      bundler.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
        const home = homes.get(resolve(resolveDir, path));
        return home === undefined ? undefined : { path: `./${home}.mjs`, external: true };
      });
    },
  };
}

/** Every door of the library, as ES modules. They lie side by side, because they import each other by name. Returns its files. */
async function bundleLibrary() {
  const outputs = [];
  const bundleDoors = async (entryPoints, homes, extra = {}) => {
    const { metafile } = await build({
      ...COMMON,
      ...extra,
      entryPoints,
      chunkNames: "[name]-[hash]",
      outExtension: { ".js": ".mjs" },
      splitting: true,
      format: "esm",
      plugins: [commonJsWhenUsed, ...COMMON.plugins, fromOtherDoors(homes)],
    });
    const files = filesOf(metafile);
    for (const file of files) if (file.endsWith(".map")) await moveMap(join(staging, file));
    outputs.push(...files);
  };
  const { parser, ...others } = WHOLE_DOORS;
  const homes = new Map();
  await bundleDoors({ parser }, homes, QUICK_TO_READ);
  homes.set(root + parser, "parser");
  await bundleDoors(DOORS, homes);
  // These are made of the parser's own files. Of its small ones they may have a copy, of its errors not.
  homes.set(`${root}src/parser/error.ts`, "parser");
  for (const [name, file] of Object.entries(others))
    await bundleDoors({ [name]: file }, homes, QUICK_TO_READ);
  // Doors last: by then all is there that they import.
  const isDoor = (file) => Object.hasOwn({ ...DOORS, ...WHOLE_DOORS }, file.replace(/\.mjs$/, ""));
  const files = [...outputs.filter((file) => !isDoor(file)), ...outputs.filter(isDoor)];
  await moveIn(staging, dist, files);
  return files;
}

/** A map tells where sources are from where it lies, and it will lie one folder higher than where it was made. */
async function moveMap(file) {
  const map = JSON.parse(await readFile(file, "utf8"));
  const sources = map.sources.map((source) => source.replace(/^\.\.\//, ""));
  await writeFile(file, JSON.stringify({ ...map, sources }));
}

/** The files that esbuild made, as paths in dist/. */
function filesOf(metafile) {
  return Object.keys(metafile.outputs).map((file) => relative(staging, join(root, file)));
}

/**
 * The command: its scripts, the compiled code beside them, and the file that starts one. That is CommonJS, and says so in a
 * package.json, because Node needs a fifth of the time that `strake --version` takes to get ready for an ES module. Returns
 * its files.
 */
async function bundleCommand() {
  const runner = compileRunner(staging);
  const { bundleFor } = await import(runner);
  const all = await bundleScript("strake");
  const transfers = await bundleScript("transfers", [
    onlyCommands((command) => bundleFor(command) === "transfers" || command === "help"),
  ]);
  const scripts = { all: all.script, transfers: transfers.script };
  const compiled = await compile(staging, scripts, runner);
  const start = await build({
    ...COMMON,
    entryPoints: { cli: "src/cli/start.ts" },
    format: "cjs",
    define: {
      STRAKE_BUNDLES: JSON.stringify(scripts),
      "import.meta.dirname": "__dirname",
    },
  });
  await writeFile(join(staging, "package.json"), '{"type":"commonjs"}\n');
  await chmod(join(staging, "cli.js"), 0o755);
  // Without the compiled code everything works, only later.
  const files = [
    ...compiled,
    ...[all, transfers].flatMap(({ script, map }) => [map, script]),
    "package.json",
    ...filesOf(start.metafile),
  ];
  await moveIn(staging, dist, files);
  return files;
}

/** One script of the command. */
async function bundleScript(name, plugins = []) {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: { [name]: "src/cli/bin.ts" },
    entryNames: "cli/[name]-[hash]",
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    // A third of all the text, and only proxies and ADD of web addresses need it.
    external: [...COMMON.external, "undici"],
    plugins: [...plugins, heavyBuiltinsWhenUsed, ...COMMON.plugins],
    // Half of the time that the script's start takes goes with its size, and with the length of its names.
    minify: true,
    lineLimit: QUICK_TO_READ.lineLimit,
    // For the stacks that STRAKE_DEBUG=1 shows; without the sources' texts.
    sourcemap: "external",
    sourcesContent: false,
    // A script that is compiled by hand has no import(); what is loaded late is a function in the script.
    supported: { "dynamic-import": false },
    define: { ...COMMON.define, "import.meta.url": "BUNDLE_URL" },
    // The function that Node would put around it stands in the file, which so needs no copy of the text.
    banner: {
      js: `${WRAPPER_START}const BUNDLE_URL = require("node:url").pathToFileURL(__filename).href;`,
    },
    footer: { js: WRAPPER_END },
  });
  const [script, map] = filesOf(metafile).sort();
  return { script, map };
}

/** Declarations only; `npm run ok` is what checks types. Returns their files. */
async function declarations() {
  await new Promise((resolve, reject) => {
    const tsc = spawn(
      process.execPath,
      [
        `${root}node_modules/typescript/bin/tsc`,
        "-p",
        "tsconfig.types.json",
        "--outDir",
        join(staging, "types"),
      ],
      { cwd: root, stdio: "inherit" },
    );
    tsc.on("error", reject);
    tsc.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`tsc exited with ${code}`))));
  });
  // They are of the library, which is ES modules whatever the package.json above says.
  await writeFile(join(staging, "types/package.json"), '{"type":"module"}\n');
  const files = await listTypes(staging);
  await moveIn(staging, dist, files);
  return files;
}

async function listTypes(folder) {
  return (await listFiles(join(folder, "types"))).map((file) => join("types", file));
}

try {
  const files = [...(await bundleLibrary()), ...(await bundleCommand())];
  const types = process.argv.includes("--no-types") ? await listTypes(dist) : await declarations();
  await finish(dist, [...files, ...types]);
} catch (error) {
  // esbuild has printed what is wrong by then; a stack of its own code says nothing more.
  if (!Array.isArray(error.errors)) throw error;
  process.exitCode = 1;
} finally {
  await rm(staging, { recursive: true, force: true });
}
