import type { ByteString } from "../../oci/index.ts";
import { MAX_SYMLINKS } from "../../util/linux-paths.ts";

/**
 * The first symlink of a tree that leads out of the folder `base`, by itself or by way of others; undefined when none
 * does. One that leads nowhere, or in a circle, stays inside.
 * @param links paths of the symlinks to what they point to, `base` being in front of each path
 */
export function findEscape(
  links: ReadonlyMap<ByteString, ByteString>,
  base: ByteString,
): ByteString | undefined {
  for (const path of links.keys()) if (escapes(path, links, base)) return path;
  return undefined;
}

function escapes(path: ByteString, links: ReadonlyMap<ByteString, ByteString>, base: ByteString): boolean {
  const depth = partsOf(base).length;
  const at: string[] = [];
  // What is still to be walked, the next part last.
  const ahead = partsOf(path).reverse();
  for (let followed = 0; ahead.length > 0; ) {
    const part = ahead.pop() as string;
    if (part === "..") {
      if (at.length <= depth) return true;
      at.pop();
      continue;
    }
    at.push(part);
    const target = links.get(at.join("/") as ByteString);
    if (target === undefined) continue;
    if (target.startsWith("/")) return true;
    if (followed++ === MAX_SYMLINKS) return false;
    at.pop();
    ahead.push(...partsOf(target).reverse());
  }
  return false;
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
