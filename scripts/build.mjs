// Bundles src/ into dist/: one ESM file per public door of the library, shared chunks beside them, and declarations in
// dist/types; the command as one script with its compiled code beside it, which dist/cli.js starts (src/cli/start.ts).
// `--no-types` leaves the declarations out, for a quick turn while working on the code.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
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

/**
 * CommonJS packages `require()` Node's own modules; in an ESM bundle there is no `require`. Each such call becomes a
 * look-up that is as lazy as the original, so that an ESM import at the top of a chunk doesn't load them all at start.
 */
const builtinsForCommonJs = {
  name: "builtins-for-commonjs",
  setup(bundler) {
    const names = new Set(builtinModules);
    bundler.onResolve({ filter: /^[a-z_:/0-9]+$/ }, (args) => {
      if (args.kind !== "require-call") return undefined;
      const bare = args.path.replace(/^node:/, "");
      if (!args.path.startsWith("node:") && !names.has(bare)) return undefined;
      return { path: bare, namespace: "node-builtin" };
    });
    bundler.onLoad({ filter: /.*/, namespace: "node-builtin" }, (args) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(`node:${args.path}`)});`,
      loader: "js",
    }));
  },
};

/**
 * `await import("a-commonjs-package")` gives its members as named exports in Node; the chunk that esbuild makes of such a
 * package has only a default export. So each gets a module in between that names them.
 */
const namedExportsOfCommonJs = {
  name: "named-exports-of-commonjs",
  setup(bundler) {
    const namespace = "commonjs-names";
    bundler.onResolve({ filter: /^[a-z@][^:]*$/ }, async (args) => {
      if (args.kind !== "dynamic-import" || builtinModules.includes(args.path)) return undefined;
      const { path, external, errors } = await bundler.resolve(args.path, {
        kind: "import-statement",
        resolveDir: args.resolveDir,
      });
      if (external || errors.length > 0 || !(await isCommonJs(path))) return undefined;
      return { path, namespace };
    });
    bundler.onLoad({ filter: /.*/, namespace }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter(
        (name) => /^[\w$]+$/.test(name) && name !== "default",
      );
      const file = JSON.stringify(path);
      return {
        contents: `import whole from ${file};\nexport default whole;\nexport const { ${names.join(", ")} } = whole;`,
        resolveDir: dirname(path),
      };
    });
  },
};

/**
 * Some of Node's own modules take milliseconds to load, and most runs of the command need none of these: each is loaded
 * when something of it is used. (What esbuild makes of an import copies the members that an object itself has, and keeps its
 * prototype; so they are all the prototype's.)
 */
const heavyBuiltinsWhenUsed = {
  name: "heavy-builtins-when-used",
  setup(bundler) {
    const namespace = "heavy-builtins-when-used";
    bundler.onResolve({ filter: /^node:(child_process|tls|worker_threads|zlib)$/ }, ({ kind, path }) =>
      kind === "import-statement" ? { path, namespace } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents:
        `let whole; const load = () => (whole ??= require(${JSON.stringify(path)}));\n` +
        "module.exports = Object.create(new Proxy({}, { get: (_, name) => load()[name] }));",
      loader: "js",
    }));
  },
};

/**
 * A bundle runs a CommonJS package when it loads. These are run when the first of their members is asked for: reading a
 * Dockerfile needs them, having the parser at hand doesn't, and running them is a tenth of the parser's loading.
 */
const commonJsWhenUsed = {
  name: "commonjs-when-used",
  setup(bundler) {
    const namespace = "commonjs-when-used";
    bundler.onResolve({ filter: /^(moo|nearley)$/ }, async (args) => {
      if (args.kind !== "import-statement") return undefined;
      const { path } = await bundler.resolve(args.path, {
        kind: "require-call",
        resolveDir: args.resolveDir,
      });
      return { path, namespace };
    });
    bundler.onLoad({ filter: /.*/, namespace }, async ({ path }) => {
      const { default: whole } = await import(path);
      const members = Object.keys(whole).map((name) => `get ${name}() { return run().${name}; }`);
      const run = `let whole; const run = () => (whole ??= require(${JSON.stringify(path)}));`;
      return { contents: `${run}\nexport default { ${members.join(", ")} };`, resolveDir: dirname(path) };
    });
  },
};

/** Whether Node takes a file for CommonJS: by its name, else by the package.json above it. */
async function isCommonJs(path) {
  if (/\.[cm]js$/.test(path)) return path.endsWith(".cjs");
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(`${folder}/package.json`)) {
      return JSON.parse(await readFile(`${folder}/package.json`, "utf8")).type !== "module";
    }
  }
  return true;
}

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
 * The command: its script, the compiled code beside it, and the file that starts it. That is CommonJS, and says so in a
 * package.json, because Node needs a fifth of the time that `strake --version` takes to get ready for an ES module. Returns
 * its files.
 */
async function bundleCommand() {
  const command = await build({
    ...COMMON,
    entryPoints: { strake: "src/cli/bin.ts" },
    entryNames: "cli/[name]-[hash]",
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    plugins: [heavyBuiltinsWhenUsed, ...COMMON.plugins],
    // A script that is compiled by hand has no import(); what is loaded late is a function in the script.
    supported: { "dynamic-import": false },
    define: { ...COMMON.define, "import.meta.url": "BUNDLE_URL" },
    banner: { js: 'const BUNDLE_URL = require("node:url").pathToFileURL(__filename).href;' },
  });
  const [script] = filesOf(command.metafile);
  const made = join(staging, script);
  // Beyond ASCII there are only comments. One such character would make V8 keep, and Node convert, twice the bytes.
  await writeFile(made, (await readFile(made, "utf8")).replace(/[^\0-\x7f]/g, "?"));
  const compiled = await compileAhead(made);
  const start = await build({
    ...COMMON,
    entryPoints: { cli: "src/cli/start.ts" },
    format: "cjs",
    define: { STRAKE_BUNDLE: JSON.stringify(script), "import.meta.dirname": "__dirname" },
  });
  await writeFile(join(staging, "package.json"), '{"type":"commonjs"}\n');
  await chmod(join(staging, "cli.js"), 0o755);
  // Without the compiled code everything works, only later.
  const files = [...compiled, script, "package.json", ...filesOf(start.metafile)];
  await moveIn(staging, dist, files);
  return files;
}

/** Puts the compiled code of the command's script beside it. Returns its files. */
async function compileAhead(script) {
  const { compile } = await import("./compile-ahead.mjs");
  return (await compile(script)).map((file) => relative(staging, file));
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
