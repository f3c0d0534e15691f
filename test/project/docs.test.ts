import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findDocuments, NOT_OURS, ROOT } from "./source-files.ts";

interface Manifest {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
const documents = findDocuments().map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

test("every link between documents leads to a file", () => {
  const broken = documents.flatMap(({ path, text }) =>
    Array.from(
      withoutCode(text).matchAll(/\]\((?<target>[^)\s]+)\)/g),
      (match) => match.groups?.["target"] ?? "",
    )
      .filter((target) => !/^[a-z]+:|^#/.test(target))
      .filter((target) => !existsSync(join(ROOT, dirname(path), target.replace(/#.*$/, ""))))
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test("every npm script that a document names exists", () => {
  const wrong = documents.flatMap(({ path, text }) =>
    Array.from(text.matchAll(/\bnpm run (?<name>[a-z][a-z:-]*)/g), (match) => match.groups?.["name"] ?? "")
      .filter((name) => manifest.scripts[name] === undefined)
      .map((name) => `${path}: npm run ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("every file of this project that a document names in code exists", () => {
  const tops = readdirSync(ROOT).filter(
    (name) => !NOT_OURS.has(name) && statSync(join(ROOT, name)).isDirectory(),
  );
  const named = new RegExp(`^(?:${tops.map((top) => top.replace(".", "\\.")).join("|")})/[A-Za-z0-9_./-]*$`);
  const wrong = documents.flatMap(({ path, text }) =>
    Array.from(text.matchAll(/`(?<code>[^`\n]+)`/g), (match) => match.groups?.["code"] ?? "")
      .filter((code) => named.test(code) && !existsSync(join(ROOT, code)))
      .map((code) => `${path}: ${code}`),
  );
  expect(wrong).toEqual([]);
});

test("every folder of src/ has a README and a door", () => {
  const folders = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const missing = folders.flatMap(({ name }) => {
    const door = name === "cli" ? "bin.ts" : "index.ts";
    // util has no door: each of its files is one helper.
    const wanted = name === "util" ? ["README.md"] : ["README.md", door];
    return wanted
      .filter((file) => !existsSync(join(ROOT, "src", name, file)))
      .map((file) => `src/${name}/${file}`);
  });
  expect(missing).toEqual([]);
});

test("the change log tells of the version in package.json", () => {
  expect(readFileSync(join(ROOT, "CHANGELOG.md"), "utf8")).toContain(`## ${manifest.version}`);
});

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
}
