import { chmod, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runCli } from "../cli/run-cli.ts";
import { testSeed } from "../support/seeded-random.ts";
import { buildProblem, Workbench } from "./support/workbench.ts";

/*
 * A build from the cache is as good as a cold one: for Dockerfiles made by chance, a cold build, one from the cache, one from
 * a part of the cache (a file or a step changed) and one after changing it back give the same digests. A fixed time makes
 * digests comparable.
 *
 * STRAKE_PROPERTY_RUNS=200 tries more than the few that a test run has time for, STRAKE_TEST_SEED others.
 */
const RUNS = Number(process.env["STRAKE_PROPERTY_RUNS"] ?? 5);
const SEED = testSeed(20260301);

const problem = buildProblem();

interface Case {
  /** Contents of `f0` to `f2` and `d/g0`, `d/g1`; the mode of `f0`. */
  readonly contents: readonly string[];
  readonly mode: number;
  readonly first: readonly string[];
  readonly last: readonly string[];
  readonly edit: Edit;
}

type Edit =
  | { readonly kind: "file"; readonly index: number; readonly content: string }
  | { readonly kind: "mode"; readonly mode: number }
  /** One word of a step changed: what a key must not overlook. */
  | { readonly kind: "word"; readonly at: number; readonly change: number }
  /** One more step, or one in place of another. */
  | { readonly kind: "step"; readonly at: number; readonly replaced: 0 | 1; readonly line: string };

const FILES = ["f0", "f1", "f2", "d/g0", "d/g1"];
const content = fc.constantFrom("one\n", "two\n", "three\n", "");
const file = fc.constantFrom("f0", "f1", "f2");
const mode = fc.constantFrom(0o644, 0o755, 0o600);
const target = fc.constantFrom("/t0", "/t1", "/dir/t2", "/dir/", "/link/t3", "./t4");
const word = fc.constantFrom("a", "b", "c");

const instruction = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("", "--link ", "--chmod=751 ", "--chown=bob ", "--chown=7:8 --link ", "--exclude=g* "),
      file,
      target,
    )
    .map(([flag, from, to]) => `COPY ${flag}${from} ${to}`),
  fc
    .tuple(fc.constantFrom("", "--link ", "--exclude=g0 "), target)
    .map(([flag, to]) => `COPY ${flag}d ${to}/`),
  fc.tuple(file, target).map(([from, to]) => `ADD ${from} l ${to}/`),
  fc.tuple(target, content).map(([to, text]) => `COPY <<EOF ${to}/here\n${text}EOF`),
  fc.tuple(word, target).map(([text, to]) => `RUN mkdir -p $(dirname ${to}x); echo ${text} $A $B > ${to}x`),
  target.map((to) => `RUN rm -rf ${to}; mkdir -p /dir`),
  fc.constant("RUN mv /dir /moved 2>/dev/null || mkdir /moved; ln -sf f0 /moved/link"),
  fc.constant("RUN chmod 700 /etc; chown 5:6 /tmp; touch /etc/passwd"),
  fc.constant("RUN --mount=type=bind,source=d,target=/mnt cat /mnt/* > /bound"),
  fc.constant(
    "RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/m echo x > /c/f; echo y > /m/f; ls /m > /seen",
  ),
  fc.tuple(word, word).map(([a, b]) => `RUN <<EOF\necho ${a} > /heredoc\nmkdir -p /h/${b}\nEOF`),
  fc.constantFrom("w", "w/deep", "/abs", "/link/../x").map((path) => `WORKDIR ${path}`),
  fc.tuple(fc.constantFrom("A", "B"), word).map(([name, value]) => `ENV ${name}=${value}`),
  word.map((value) => `ARG B=${value}`),
  fc.constantFrom("USER bob\nRUN id -u > /tmp/who; true\nUSER root", 'CMD ["sh"]', "LABEL a=b", "EXPOSE 80"),
);

const fromFirst = fc
  .tuple(fc.constantFrom("", "--link "), fc.constantFrom("/etc", "/tmp", "/dir", "/t*"), target)
  .map(([flag, from, to]) => `COPY --from=first ${flag}${from} ${to}/`);

/** Pairs of words that may stand for one another in a step. */
const CHANGES: readonly (readonly [string, string])[] = [
  ["/t0", "/t1"],
  ["/t1", "/t0"],
  ["/dir/", "/dir2/"],
  ["--link ", ""],
  ["751", "711"],
  ["bob", "root"],
  ["7:8", "8:7"],
  ["g*", "g1"],
  ["f0", "f1"],
  ["a", "b"],
  ["COPY", "ADD"],
];

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constant("file" as const),
    index: fc.nat(FILES.length - 1),
    content: fc.constant("changed\n"),
  }),
  fc.record({ kind: fc.constant("word" as const), at: fc.nat(6), change: fc.nat(CHANGES.length - 1) }),
  fc.record({ kind: fc.constant("mode" as const), mode: fc.constant(0o711) }),
  fc.record({
    kind: fc.constant("step" as const),
    at: fc.nat(6),
    replaced: fc.constantFrom(0, 1),
    line: instruction,
  }),
);

const cases: fc.Arbitrary<Case> = fc.record({
  contents: fc.array(content, { minLength: FILES.length, maxLength: FILES.length }),
  mode,
  first: fc.array(instruction, { minLength: 0, maxLength: 3 }),
  last: fc.array(fc.oneof({ weight: 4, arbitrary: instruction }, { weight: 1, arbitrary: fromFirst }), {
    minLength: 1,
    maxLength: 6,
  }),
  edit,
});

describe.skipIf(problem !== undefined)(
  `a build from the cache${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    it("is a cold build's, digest for digest, also where only a part comes from the cache", async () => {
      await using bench = await Workbench.create();
      await fc.assert(
        fc.asyncProperty(cases, async (one) => {
          const folder = await mkdtemp(join(bench.folder, "case-"));
          try {
            await tryCase(one, { folder, base: bench.base });
          } finally {
            await rm(folder, { recursive: true, force: true });
          }
        }),
        // Shrinking would take minutes: what is found is small as it is.
        { numRuns: RUNS, seed: SEED, endOnFailure: true },
      );
    }, 600_000);
  },
);

interface Place {
  readonly folder: string;
  readonly base: string;
}

async function tryCase(one: Case, place: Place): Promise<void> {
  const edited = withEdit(one);
  await writeContext(one, place, 1);
  const cold = await digestOf("a", place);
  expect(await digestOf("a", place), "from the cache").toBe(cold);
  await writeContext(edited, place, 2);
  const partial = await digestOf("a", place);
  expect(partial, "the change, from a part of the cache").toBe(await digestOf("b", place));
  // As new files: neither their times nor their numbers are what they were.
  await writeContext(one, place, 3);
  expect(await digestOf("a", place), "after changing it back").toBe(cold);
  expect(await digestOf("b", place), "on top of the changed one's cache").toBe(cold);
}

function withEdit(one: Case): Case {
  const { edit: change } = one;
  switch (change.kind) {
    case "file":
      return { ...one, contents: one.contents.with(change.index, change.content) };
    case "mode":
      return { ...one, mode: change.mode };
    case "word":
      return {
        ...one,
        last: one.last.map((line, at) =>
          at === change.at % one.last.length ? vary(line, change.change) : line,
        ),
      };
    case "step":
      return {
        ...one,
        last: one.last.toSpliced(Math.min(change.at, one.last.length), change.replaced, change.line),
      };
    default:
      return change satisfies never;
  }
}

/** The step with the first change that fits, from the given one on. */
function vary(line: string, from: number): string {
  const changes = [...CHANGES.slice(from), ...CHANGES.slice(0, from)];
  const [before, after] = changes.find(([word]) => line.includes(word)) ?? ["", ""];
  return line.replace(before, after);
}

async function writeContext(
  { contents, mode: fileMode, first, last }: Case,
  { folder }: Place,
  round: number,
): Promise<void> {
  const context = join(folder, "context");
  await rm(context, { recursive: true, force: true });
  await mkdir(join(context, "d"), { recursive: true });
  const times = 1_700_000_000 + round;
  for (const [index, name] of FILES.entries()) {
    await writeFile(join(context, name), contents[index] ?? "");
    await utimes(join(context, name), times, times);
  }
  await chmod(join(context, "f0"), fileMode);
  await symlink("f0", join(context, "l"));
  const stages = [
    "FROM base AS first",
    "RUN mkdir -p /dir /real; ln -s /real /link; echo t > /t9",
    ...first,
    "FROM base",
    "RUN mkdir -p /dir /real; ln -s /real /link",
    ...last,
  ];
  await writeFile(join(context, "Dockerfile"), `${stages.join("\n")}\n`);
}

/** Builds with a store of that name and gives the manifest's digest, or what the build failed with. */
async function digestOf(store: string, { folder, base }: Place): Promise<string> {
  const metadata = join(folder, "metadata.json");
  const { code, stderr } = await runCli(
    [
      ...["build", "--progress=plain", "--build-context", `base=oci-layout://${base}`],
      ...["-o", `type=oci,dest=${join(folder, "out.tar")},rewrite-timestamp=true`],
      ...["--metadata-file", metadata, join(folder, "context")],
    ],
    {
      env: {
        PATH: process.env["PATH"] ?? "",
        STRAKE_ROOT: join(folder, `store-${store}`),
        SOURCE_DATE_EPOCH: "1600000000",
      },
    },
  );
  if (code !== 0) return `failed: ${/^error: .*$/m.exec(stderr)?.[0] ?? stderr}`;
  const read = JSON.parse(await readFile(metadata, "utf8")) as Record<string, unknown>;
  return String(read["containerimage.digest"]);
}
