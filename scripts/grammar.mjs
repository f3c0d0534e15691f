// Compiles grammar/dockerfile.ne to src/parser/generated/dockerfile.gen.ts.
//
//   node scripts/grammar.mjs           writes the file
//   node scripts/grammar.mjs --check   fails if the file is not what it would write

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const nearley = require("nearley");
const compile = require("nearley/lib/compile.js");
const language = require("nearley/lib/nearley-language-bootstrapped.js");

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const grammarFile = join(root, "grammar/dockerfile.ne");
const outputFile = join(root, "src/parser/generated/dockerfile.gen.ts");

const output = render(parseGrammar(readFileSync(grammarFile, "utf8")));

if (process.argv.includes("--check")) {
  let current = "";
  try {
    current = readFileSync(outputFile, "utf8");
  } catch {
    // Not there: not current either.
  }
  if (current !== output) {
    console.error(
      "src/parser/generated/dockerfile.gen.ts is not what grammar/dockerfile.ne says: run npm run grammar",
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(outputFile, output);
}

function parseGrammar(text) {
  const parser = new nearley.Parser(nearley.Grammar.fromCompiled(language));
  parser.feed(text);
  const compiled = compile(parser.results[0], { args: [grammarFile] });
  checkNames(compiled.rules);
  return compiled;
}

/** A misspelt rule name would otherwise be a rule that never matches. */
function checkNames(rules) {
  const names = new Set(rules.map((rule) => rule.name));
  for (const rule of rules) {
    for (const symbol of rule.symbols) {
      if (typeof symbol === "string" && !names.has(symbol)) {
        throw new Error(`grammar/dockerfile.ne: rule "${rule.name}" uses "${symbol}", which is not there`);
      }
    }
  }
}

function render({ rules, body }) {
  const lines = rules.map((rule) => {
    const symbols = rule.symbols.map(renderSymbol).join(", ");
    const after = rule.postprocess === undefined ? "" : `, postprocess: ${rule.postprocess.trim()}`;
    return `  { name: ${JSON.stringify(rule.name)}, symbols: [${symbols}]${after} },`;
  });
  return [
    "// Generated from grammar/dockerfile.ne by scripts/grammar.mjs. Do not edit.",
    'import type { GrammarRule } from "../syntax/tree.ts";',
    ...body.map((part) => part.trim()),
    "",
    "/** Made when it is first asked for. */",
    "export const grammarRules = (): readonly GrammarRule[] => [",
    ...lines,
    "];",
    "",
  ].join("\n");
}

function renderSymbol(symbol) {
  if (typeof symbol === "string") return JSON.stringify(symbol);
  if (symbol.literal !== undefined) return `{ literal: ${JSON.stringify(symbol.literal)} }`;
  // nearley has wrapped the terminal's name into code that asks the lexer for it.
  const name = /\.has\("(\w+)"\)/.exec(symbol.token)?.[1];
  if (name === undefined) throw new Error(`grammar/dockerfile.ne: cannot render ${JSON.stringify(symbol)}`);
  return `{ type: ${JSON.stringify(name)} }`;
}
