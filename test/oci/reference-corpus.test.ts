import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  formatFamiliarName,
  formatFamiliarReference,
  formatReference,
  parseAnyReference,
  parseReference,
  type Reference,
  withDefaultTag,
  withoutShadowedTag,
} from "../../src/oci/index.ts";

interface Parsed {
  readonly string: string;
  readonly domain: string;
  readonly path: string;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly familiar: string;
  readonly familiarName: string;
}

interface ReferenceCase extends Parsed {
  readonly input: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly tagNameOnly: string;
  readonly dockerRef: Parsed | null;
  readonly any: string | null;
}

const shared = process.env["STRAKE_SHARED"] ?? join(import.meta.dirname, "../../../shared");
const file = join(shared, "corpus/image-references.json");
const cases = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly ReferenceCase[]) : [];

test.skipIf(cases.length === 0)(`agrees with the corpus of image references (${cases.length} cases)`, () => {
  const wrong = cases.filter(
    (expected) => JSON.stringify(actual(expected)) !== JSON.stringify(wanted(expected)),
  );
  expect(wrong.map((expected) => ({ wanted: wanted(expected), actual: actual(expected) }))).toEqual([]);
});

function actual({ input }: ReferenceCase): unknown {
  let any: string | null = null;
  try {
    const parsed = parseAnyReference(input);
    any = parsed.kind === "digest" ? parsed.digest : formatReference(parsed.reference);
  } catch {}
  try {
    const reference = parseReference(input);
    return {
      ...describeReference(reference),
      tagNameOnly: formatReference(withDefaultTag(reference)),
      dockerRef: describeReference(withoutShadowedTag(reference)),
      any,
    };
  } catch (error) {
    return { error: (error as Error).message.replace(/^Cannot parse reference ".*": /s, ""), any };
  }
}

function wanted(expected: ReferenceCase): unknown {
  if (!expected.ok) return { error: expected.error, any: expected.any };
  const { dockerRef, tagNameOnly, any } = expected;
  return {
    ...pick(expected),
    tagNameOnly,
    dockerRef: dockerRef === null ? null : pick(dockerRef),
    any,
  };
}

function pick({ string, domain, path, tag, digest, familiar, familiarName }: Parsed): Parsed {
  return { string, domain, path, tag, digest, familiar, familiarName };
}

function describeReference(reference: Reference): Parsed {
  return {
    string: formatReference(reference),
    domain: reference.registry,
    path: reference.repository,
    tag: reference.tag ?? null,
    digest: reference.digest ?? null,
    familiar: formatFamiliarReference(reference),
    familiarName: formatFamiliarName(reference),
  };
}
