import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkFile } from "../../../src/cli/check/check-file.ts";
import { listRules } from "../../../src/cli/check/rules.ts";
import type { LintOptions } from "../../../src/parser/index.ts";
import { pageName } from "../../../src/parser/lint/advice/advice.ts";
import { ROOT } from "../../project/source-files.ts";

const FOLDER = join(ROOT, "docs", "rules");
const pages = readdirSync(FOLDER).filter((name) => name !== "README.md");

/** What a rule needs to know beside the file. */
const SURROUNDINGS: Readonly<Record<string, LintOptions>> = {
  InvalidBaseImagePlatform: {
    baseImage: (name) => ({ platform: name.startsWith("arm64v8/") ? "linux/arm64" : "linux/amd64" }),
  },
  InvalidDefaultArgInFrom: { buildArgs: { TAG: "12.8" } },
  CopyIgnoredFile: { dockerignore: "*.md\n" },
};

function example(page: string, heading: "Bad" | "Good"): string {
  const found = new RegExp(`## ${heading}\n\n\`\`\`dockerfile\n([^]*?)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`The page has no example "${heading}"`);
  return found;
}

async function rulesIn(text: string, rule: string): Promise<readonly string[]> {
  const file = { name: "Dockerfile", bytes: Buffer.from(text), path: undefined, folder: undefined };
  const lint = SURROUNDINGS[rule] ?? {};
  const { findings } = await checkFile(file, { skip: new Set(), enable: new Set([rule]), lint });
  return [...new Set(findings.map((finding) => finding.rule))];
}

describe("docs/rules", () => {
  it("has a page for every rule, and no other", () => {
    expect(pages.toSorted()).toEqual(
      listRules()
        .map(({ name }) => `${pageName(name)}.md`)
        .toSorted(),
    );
  });

  it("lists every rule in its index, with its level", () => {
    const index = readFileSync(join(FOLDER, "README.md"), "utf8");
    for (const { name, level, isDefault, description } of listRules()) {
      const shown = isDefault ? level : `${level}, off`;
      expect(index).toContain(`| [${name}](${pageName(name)}.md) | ${shown} | ${description} |`);
    }
  });
});

describe.each(listRules().map((rule) => [rule.name, rule] as const))("%s", (name, rule) => {
  const page = readFileSync(join(FOLDER, `${pageName(name)}.md`), "utf8");

  it("is described as it is", () => {
    expect(page.startsWith(`# ${name}\n`)).toBe(true);
    expect(page).toContain(`${rule.description}.`);
    expect(page.toLowerCase()).toContain(rule.level);
    expect(rule.url).toContain(pageName(name));
  });

  it("finds the bad example, and nothing else is wrong with it", async () => {
    expect(await rulesIn(example(page, "Bad"), name)).toEqual([name]);
  });

  it("finds nothing in the good example", async () => {
    expect(await rulesIn(example(page, "Good"), name)).toEqual([]);
  });
});
