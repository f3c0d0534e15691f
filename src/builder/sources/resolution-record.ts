import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, digestOf, formatPlatform, type Platform, splitDigest } from "../../oci/index.ts";
import type { BuildStore } from "../collaborators.ts";

/** What a name meant when a build last asked a registry: builds without `--pull` go on using it. */
export interface ResolutionRecord {
  readonly reference: string;
  readonly platform: Platform;
  readonly manifest: Descriptor;
  /** What the name pointed at, when that was an index. */
  readonly index?: Descriptor;
  readonly resolvedAt: string;
}

/** The record for a full reference and a normalised platform; undefined when there is none that can be read. */
export async function readResolution(
  store: BuildStore,
  reference: string,
  platform: Platform,
): Promise<ResolutionRecord | undefined> {
  try {
    const record = JSON.parse(
      await readFile(recordPath(store, reference, platform), "utf8"),
    ) as ResolutionRecord;
    return record.reference === reference && typeof record.manifest?.digest === "string" ? record : undefined;
  } catch {
    return undefined;
  }
}

export async function writeResolution(store: BuildStore, record: ResolutionRecord): Promise<void> {
  const path = recordPath(store, record.reference, record.platform);
  await mkdir(join(store.root, "cache", "resolutions"), { recursive: true });
  const temporary = join(store.tmpDir, `resolution-${splitDigest(record.manifest.digest).hex}`);
  await writeFile(temporary, `${JSON.stringify(record, null, 1)}\n`);
  await rename(temporary, path);
}

function recordPath(store: BuildStore, reference: string, platform: Platform): string {
  const { hex } = splitDigest(digestOf(`${reference}\n${formatPlatform(platform)}`));
  return join(store.root, "cache", "resolutions", `${hex.slice(0, 40)}.json`);
}
