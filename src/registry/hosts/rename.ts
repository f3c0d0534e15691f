import type { Endpoint } from "./types.ts";

/** What a repository is called at an endpoint. */
export function nameAt({ rename }: Pick<Endpoint, "rename">, repository: string): string {
  if (rename === undefined) return repository;
  const { from, to } = rename;
  const isUnder = from === "" || repository === from || repository.startsWith(`${from}/`);
  if (!isUnder) return repository;
  const rest = repository.slice(from.length).replace(/^\//, "");
  return [to, rest].filter((part) => part !== "").join("/");
}
