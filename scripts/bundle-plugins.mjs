// What the bundler is taught of CommonJS and of Node's own modules.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { dirname } from "node:path";

/**
 * CommonJS packages `require()` Node's own modules; in an ESM bundle there is no `require`. Each such call becomes a
 * look-up that is as lazy as the original, so that an ESM import at the top of a chunk doesn't load them all at start.
 */
export const builtinsForCommonJs = {
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
export const namedExportsOfCommonJs = {
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
 * Leaves commands out of a script that is not started for them.
 * @param isHere gets the first word of a command's name
 */
export function onlyCommands(isHere) {
  return {
    name: "only-commands",
    setup(bundler) {
      const namespace = "command-elsewhere";
      bundler.onResolve({ filter: /^\.\/commands\/[\w-]+\.ts$/ }, ({ importer, kind, path }) => {
        const [, word] = /(\w+)[\w-]*\.ts$/.exec(path);
        if (kind !== "dynamic-import" || !importer.endsWith("/cli/commands.ts") || isHere(word))
          return undefined;
        return { path, namespace };
      });
      bundler.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
        contents: `throw new Error(${JSON.stringify(`${path} is in another script`)});`,
      }));
    },
  };
}

/**
 * Some of Node's own modules take milliseconds to load, and most runs of the command need none of these: each is loaded
 * when something of it is used. (What esbuild makes of an import copies the members that an object itself has, and keeps its
 * prototype; so they are all the prototype's.)
 */
export const heavyBuiltinsWhenUsed = {
  name: "heavy-builtins-when-used",
  setup(bundler) {
    const namespace = "heavy-builtins-when-used";
    bundler.onResolve({ filter: /^node:(child_process|tls|zlib)$/ }, ({ kind, path }) =>
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
export const commonJsWhenUsed = {
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
