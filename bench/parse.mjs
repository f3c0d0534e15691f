// Times the parser on files of growing size: `node bench/parse.mjs [BUNDLE]`, after `npm run build`.
//
// What counts is the last column: the time per line must stay the same from 1,000 lines to 100,000.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath, pathToFileURL } from "node:url";

const RUNS = 7;
const SIZES = [1_000, 10_000, 100_000];

const bundle = resolve(process.argv[2] ?? fileURLToPath(new URL("../dist/parser.mjs", import.meta.url)));
if (!existsSync(bundle)) {
  console.error(`${bundle} is not there: npm run build makes it`);
  process.exit(2);
}
const loadStart = performance.now();
const { checkDockerfile, createIgnore, parseDockerfile } = await import(pathToFileURL(bundle).href);
console.log(`loading ${(performance.now() - loadStart).toFixed(1)} ms (node ${process.version})\n`);

const KINDS = {
  "a bit of everything": (lines) => everyday(lines),
  "one RUN, continued": (lines) => `FROM a\nRUN true ${"\\\n  && echo hello ".repeat(lines)}\n`,
  "one ENV, continued": (lines) => `FROM a\nENV ${repeat(lines, (i) => `K${i}="v ${i}" \\\n`)}Z=z\n`,
  "one heredoc": (lines) => `FROM a\nRUN <<EOF\n${"echo hello\n".repeat(lines)}EOF\n`,
  "only comments": (lines) => `${"# a comment of some length\n".repeat(lines)}FROM a\n`,
  "only stages": (lines) => repeat(lines, (i) => `FROM base AS stage-${i}\n`),
  "one list of words": (lines) => `FROM a\nEXPOSE ${repeat(lines, (i) => `${i % 60_000} \\\n`)}80\n`,
};

console.log(
  `${"parse".padEnd(22)}${SIZES.map((size) => `${size} lines`.padStart(16)).join("")}   µs per line`,
);
for (const [name, make] of Object.entries(KINDS)) report(name, make, parseDockerfile);
console.log(`\n${"check".padEnd(22)}`);
report("a bit of everything", everyday, checkDockerfile);

const ignore = createIgnore(["**/node_modules", "**/*.log", "!keep.log", "dist/**", "*.tmp?", ".git"]);
const paths = Array.from({ length: 100_000 }, (_, i) => `packages/p${i % 500}/src/folder/file-${i}.ts`);
const perPath = (median(() => paths.filter(ignore.excludes)) * 1000) / paths.length;
console.log(`\nignore file with 6 patterns: ${perPath.toFixed(2)} µs per path of 5 parts`);

function report(name, make, work) {
  const times = SIZES.map((size) => {
    const text = make(size);
    return { size, ms: median(() => work(text)) };
  });
  const columns = times.map(({ ms }) => `${ms.toFixed(1)} ms`.padStart(16)).join("");
  const perLine = times.map(({ size, ms }) => ((ms * 1000) / size).toFixed(2)).join("  ");
  console.log(`${name.padEnd(22)}${columns}   ${perLine}`);
}

function median(work) {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[RUNS >> 1];
}

function everyday(lines) {
  const kinds = [
    (i) => `RUN --mount=type=cache,target=/c apt-get install -y package-${i} && true`,
    (i) => `ENV NAME_${i}=value OTHER="two words"`,
    (i) => `COPY --from=stage --chown=1:1 file-${i} other /target/`,
    (i) => `# comment number ${i}`,
    () => 'CMD ["node", "server.js", "--port", "80"]',
    () => "",
    (i) => `LABEL org.example.key-${i}="a value"`,
    (i) => `WORKDIR /srv/${i}`,
    () => "ARG VERSION=1.2.3",
    () => "RUN make \\",
  ];
  return `FROM alpine AS stage\n${repeat(lines, (i) => `${kinds[i % kinds.length](i)}\n`)}RUN end\n`;
}

function repeat(count, make) {
  return Array.from({ length: count }, (_, i) => make(i)).join("");
}
