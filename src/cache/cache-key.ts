import { type Digest, digestOf } from "../oci/digest.ts";

/** A JSON value without undefined members: what a key is made of, and what a record keeps to explain it. */
export type Ingredient =
  | string
  | number
  | boolean
  | null
  | readonly Ingredient[]
  | { readonly [name: string]: Ingredient };

/** Everything that decides a step's result, by name. */
export type Ingredients = Readonly<Record<string, Ingredient>>;

/**
 * Raise it when a step's result changes for the same ingredients (a mistake in the rules of COPY mended, say): what was
 * made by the old rules is then not taken for what the new ones would make.
 */
const RULES_VERSION = 1;

/**
 * The cache key of a step: sha256 of the canonical JSON of its ingredients. Members are ordered by name, so the
 * order in which code happens to list them does not matter; the order of lists does.
 */
export function computeCacheKey(ingredients: Ingredients): Digest {
  return digestOf(`strake:rules ${RULES_VERSION}\n${canonicalJson(ingredients)}`);
}

/** JSON without white space and with members sorted by UTF-16 code units. */
export function canonicalJson(value: Ingredient): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = value as Readonly<Record<string, Ingredient>>;
  const parts = Object.keys(members)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name] as Ingredient)}`);
  return `{${parts.join(",")}}`;
}
