import { type Descriptor, formatFamiliarName, formatPlatform } from "../../oci/index.ts";
import type { DeletionPlan, RegistryClient } from "../../registry/index.ts";
import type { CommandContext } from "../command.ts";
import { oneLine } from "../text.ts";
import { deleteName, notThere } from "./delete-name.ts";
import type { RemoteName } from "./remote-name.ts";
import { suggestingTags } from "./suggest-tag.ts";

interface RecursiveOptions {
  /** Only tell what would be done. */
  readonly dryRun: boolean;
  /** Pass over names that are not there. */
  readonly force: boolean;
  readonly untag: boolean;
  /** Asks whether that may be deleted. */
  readonly confirm: (what: string) => Promise<boolean>;
}

type Streams = Pick<CommandContext, "stdout" | "stderr" | "signal">;

/**
 * Deletes images with what their indexes list. Every repository is looked through before anything is deleted.
 * @returns whether it was allowed
 */
export async function deleteRecursively(
  client: RegistryClient,
  names: readonly RemoteName[],
  { dryRun, force, untag, confirm }: RecursiveOptions,
  { stdout, stderr, signal }: Streams,
): Promise<boolean> {
  const plans: (DeletionPlan & Pick<RemoteName, "reference">)[] = [];
  for (const group of byRepository(names)) plans.push(await planGroup(client, group, force, signal));

  for (const { reference, kept } of plans) {
    for (const { descriptor, tag } of kept)
      stderr.write(`Kept: ${show(reference, descriptor)}, which tag ${oneLine(tag)} needs\n`);
  }
  const count = plans.reduce((sum, { manifests, tags }) => sum + manifests.length + tags.length, 0);
  const shown = names.map((name) => name.shown).join(", ");
  const isMore = count > names.length;
  if (!dryRun && count > 0 && !(await confirm(isMore ? `${shown} (${count} manifests)` : shown)))
    return false;

  const tell = (what: string): void =>
    void stdout.write(`${dryRun ? "Would delete" : "Deleted"}: ${oneLine(what)}\n`);
  for (const { reference, tags, manifests } of plans) {
    for (const tag of tags) {
      if (!dryRun) await deleteName(client, { reference, name: tag }, { untag, signal });
      tell(`${formatFamiliarName(reference)}:${tag}`);
    }
    for (const descriptor of manifests) {
      if (!dryRun) await client.repository(reference).deleteManifest(descriptor.digest, { signal });
      tell(show(reference, descriptor));
    }
  }
  return true;
}

/** Names of one repository together: what one of them needs goes with the others. */
function byRepository(names: readonly RemoteName[]): RemoteName[][] {
  const groups = new Map<string, RemoteName[]>();
  for (const name of names) {
    const key = formatFamiliarName(name.reference);
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()];
}

async function planGroup(
  client: RegistryClient,
  group: readonly RemoteName[],
  force: boolean,
  signal: AbortSignal,
): Promise<DeletionPlan & Pick<RemoteName, "reference">> {
  const [first] = group;
  if (first === undefined) throw new Error("a group has at least the name that made it");
  const wanted = group.map(({ name }) => name);
  const { reference } = first;
  const plan = await client.repository(reference).planDeletion(wanted, { signal });
  const missing = group.find(({ name }) => plan.missing.includes(name));
  if (missing === undefined || force) return { reference, ...plan };
  return await suggestingTags(client, missing.reference, () => notThere(missing), signal);
}

function show(reference: RemoteName["reference"], { digest, platform }: Descriptor): string {
  return `${formatFamiliarName(reference)}@${digest}${platform === undefined ? "" : ` (${formatPlatform(platform)})`}`;
}
