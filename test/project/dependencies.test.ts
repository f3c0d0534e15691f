import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, readSourceFiles } from "./source-files.ts";

/** All that an installation of strake brings along. A seventh needs a reason good enough to change this line. */
const RUNTIME_DEPENDENCIES = ["koffi", "moo", "nearley", "p-limit", "tar-stream", "undici"];

/** Loaded when first needed, because each costs milliseconds that a cached rebuild would wait for. */
const LOADED_LATE = ["koffi", "moo", "nearley", "tar-stream", "undici"];

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: unknown;
  readonly peerDependencies?: unknown;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly hasInstallScript?: boolean }>
  >;
}

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
const files = readSourceFiles();

test("the runtime dependencies are exactly the known ones", () => {
  expect(Object.keys(manifest.dependencies).sort()).toEqual(RUNTIME_DEPENDENCIES);
  expect(manifest.optionalDependencies).toBeUndefined();
  expect(manifest.peerDependencies).toBeUndefined();
});

test("no runtime dependency needs its install script", () => {
  // npm 11 and hardened CI machines don't run them. koffi's only builds from source where no binary came with it.
  const scripted = Object.entries(lock.packages).filter(
    ([, entry]) => entry.dev !== true && entry.hasInstallScript === true,
  );
  expect(scripted.map(([path]) => path)).toEqual(["node_modules/koffi"]);
});

test("src/ imports only the runtime dependencies and Node itself, the latter with node:", () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ path }) => path === undefined)
      .filter(({ specifier }) => !isAllowed(specifier))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test("every runtime dependency is used", () => {
  const used = new Set(files.flatMap((file) => file.imports.map(({ specifier }) => specifier)));
  expect(RUNTIME_DEPENDENCIES.filter((name) => !used.has(name))).toEqual([]);
});

test("strake --version loads none of the heavy dependencies", () => {
  const entry = files.find((file) => file.path === "cli/bin.ts");
  expect(entry).toBeDefined();
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<string>();
  const packages = new Map<string, string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const found of byPath.get(path)?.imports ?? []) {
      if (found.typeOnly || found.deferred) continue;
      if (found.path !== undefined) visit(found.path);
      else packages.set(found.specifier, path);
    }
  };
  visit("cli/bin.ts");
  const loaded = [...packages].filter(([specifier]) => LOADED_LATE.includes(specifier));
  expect(loaded).toEqual([]);
});

function isAllowed(specifier: string): boolean {
  if (specifier.startsWith("node:")) return builtinModules.includes(specifier.slice("node:".length));
  return RUNTIME_DEPENDENCIES.includes(specifier);
}
