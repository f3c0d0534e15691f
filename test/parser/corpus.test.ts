import { describe, expect, test } from "vitest";
import {
  createIgnore,
  DockerfileError,
  type ExpandOptions,
  parseIgnorefile,
  splitWords,
  tryExpandWord,
} from "../../src/parser/index.ts";
import { describeDockerfile } from "../../src/parser/json/index.ts";
import { wellFormed } from "../../src/parser/json/json.ts";
import { attempt } from "./attempt.ts";
import { corpusFolder, dockerfilesOf, readJson, withoutWording } from "./shared-corpus.ts";

/** Lists what disagrees, and says how many were looked at. */
class Tally {
  readonly #title: string;
  readonly differing: string[] = [];
  #count = 0;

  constructor(title: string) {
    this.#title = title;
  }

  compare(name: string, actual: unknown, expected: unknown): void {
    this.#count++;
    const difference = firstDifference(actual, expected, "");
    if (difference !== undefined) this.differing.push(`${name}: ${difference}`);
  }

  finish(): void {
    console.log(`corpus, ${this.#title}: ${this.#count - this.differing.length} of ${this.#count} agree`);
    expect(this.differing.slice(0, 10)).toEqual([]);
    expect(this.#count).toBeGreaterThan(0);
  }
}

/** Where two JSON values differ first, and what is there. */
function firstDifference(actual: unknown, expected: unknown, path: string): string | undefined {
  if (Object.is(actual, expected)) return undefined;
  if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) {
    return `${path} is ${JSON.stringify(actual)}, wanted ${JSON.stringify(expected)}`;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const inner = firstDifference(
      (actual as Record<string, unknown>)[key],
      (expected as Record<string, unknown>)[key],
      `${path}.${key}`,
    );
    if (inner !== undefined) return inner;
  }
  return undefined;
}

describe.skipIf(corpusFolder === undefined)("the recorded answers of BuildKit", () => {
  test("Dockerfiles: both phases", () => {
    const tally = new Tally("Dockerfiles");
    for (const { name, bytes, answer } of dockerfilesOf("dockerfiles")) {
      tally.compare(name, withoutWording(describeDockerfile(bytes).json), withoutWording(answer));
    }
    tally.finish();
  });

  test("word expansion", () => {
    const tally = new Tally("words");
    const modes: Readonly<Record<string, ExpandOptions>> = {
      skipUnset: { skipUnset: true },
      skipQuotes: { keepQuotes: true },
      rawQuotes: { rawQuotes: true },
      rawQuotesAndEscapes: { rawQuotes: true, rawEscapes: true },
    };
    for (const item of readJson("shell-words.json") as ShellWord[]) {
      const env = new Map(Object.entries(item.env));
      const options = { escape: item.escape };
      const attempted = tryExpandWord(item.input, env, options);
      const words = attempt(() => splitWords(item.input, env, options));
      const record = {
        word: attempted.error === undefined ? attempted.word : null,
        words: words instanceof DockerfileError ? null : words,
        matched: attempted.matched.toSorted(),
        unmatched: attempted.unmatched.toSorted(),
        variants: Object.fromEntries(
          Object.entries(modes).map(([name, mode]) => {
            const variant = tryExpandWord(item.input, env, { ...options, ...mode });
            return [name, variant.error === undefined ? variant.word : null];
          }),
        ),
      };
      const { word, words: wantedWords, matched, unmatched, variants } = item;
      tally.compare(JSON.stringify(item.input), wellFormed(record), {
        word,
        words: wantedWords,
        matched,
        unmatched,
        variants,
      });
    }
    tally.finish();
  });

  test("ignore files", () => {
    const tally = new Tally("ignore files");
    for (const item of readJson("dockerignore.json") as IgnoreCase[]) {
      const patterns = parseIgnorefile(item.patterns.join("\n"));
      const excluded = attempt(() => createIgnore(patterns).excludes(item.path));
      const record = {
        read: patterns,
        excluded: excluded instanceof DockerfileError ? null : excluded,
        walk: item.walk === undefined ? undefined : attempt(() => walkTo(createIgnore(patterns), item.path)),
      };
      tally.compare(`${JSON.stringify(item.patterns)} ${item.path}`, record, {
        read: item.read,
        excluded: item.excluded,
        walk: item.walk,
      });
    }
    tally.finish();
  });
});

interface ShellWord {
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
  readonly escape: "\\" | "`";
  readonly word: string | null;
  readonly words: readonly string[] | null;
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
  readonly variants: Readonly<Record<string, string | null>>;
}

interface IgnoreCase {
  readonly patterns: readonly string[];
  readonly read: readonly string[];
  readonly path: string;
  readonly excluded: boolean | null;
  readonly walk?: boolean;
}

/** Asks level by level; a folder that may be skipped must say the same as what is in it. */
function walkTo(ignore: ReturnType<typeof createIgnore>, path: string): boolean {
  let level = ignore.walker();
  let visit = level.visit(".");
  let skipped = false;
  const parts = path.split("/");
  for (const [index] of parts.entries()) {
    visit = level.visit(parts.slice(0, index + 1).join("/"));
    if (skipped && !visit.excluded) throw new Error(`${path} is included, but its folder may be skipped`);
    skipped ||= visit.canSkip;
    level = visit.inside;
  }
  return visit.excluded;
}
