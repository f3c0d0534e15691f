import {
  formatFamiliarReference,
  isSamePlatform,
  type Platform,
  parsePlatform,
  parseReference,
} from "../../oci/index.ts";
import type { ContextSource } from "../types.ts";

/** What stands between a context's name and the platform that it is for: `base::linux/arm64`. */
const PLATFORM_SEPARATOR = "::";

/** The parts of what a named context is called. The platform is as written. */
export function splitContextName(text: string): { readonly name: string; readonly platform?: string } {
  const at = text.indexOf(PLATFORM_SEPARATOR);
  if (at < 0) return { name: text };
  return { name: text.slice(0, at), platform: text.slice(at + PLATFORM_SEPARATOR.length) };
}

/** One name for all spellings of an image: `latest` and Docker Hub's prefixes make no difference. Others stay as they are. */
export function familiarName(name: string): string {
  try {
    return formatFamiliarReference(parseReference(name)).replace(/:latest$/, "");
  } catch {
    return name;
  }
}

/**
 * The context given for a name, as BuildKit looks it up: the one for the platform, else the one for all.
 * @param contexts by `NAME` or `NAME::PLATFORM`
 */
export function findNamedContext(
  contexts: Readonly<Record<string, ContextSource>>,
  name: string,
  platform: Platform,
): ContextSource | undefined {
  if (name === "scratch" || name === "context") return undefined;
  const wanted = familiarName(name);
  let forAll: ContextSource | undefined;
  for (const [key, source] of Object.entries(contexts)) {
    const given = splitContextName(key);
    if (given.name !== name && familiarName(given.name) !== wanted) continue;
    if (given.platform === undefined) forAll ??= source;
    else if (isSamePlatform(parsePlatform(given.platform), platform)) return source;
  }
  return forAll;
}
