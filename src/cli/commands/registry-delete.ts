import { formatFamiliarName } from "../../oci/index.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { defineCommand } from "../command.ts";
import { CliError } from "../error.ts";
import { Asker } from "../registry/ask.ts";
import { deleteName, notThere, refusesTags } from "../registry/delete-name.ts";
import { openPlainRegistry } from "../registry/open-plain.ts";
import { parseRemoteName, type RemoteName } from "../registry/remote-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";

export const registryDelete = defineCommand({
  operands: "NAME[:TAG|@DIGEST]...",
  count: { min: 1, max: Number.POSITIVE_INFINITY },
  details: [
    "A tag is taken away and its image stays, where the registry can do that; for one that can't there is --untag. A " +
      "digest deletes the image itself, with every tag that names it. Space is freed when the registry collects its garbage.",
  ],
  options: {
    yes: {
      type: "boolean",
      short: "y",
      summary: "Do not ask first; nobody is asked where there is no terminal",
    },
    recursive: {
      type: "boolean",
      short: "r",
      summary:
        "Delete the image itself with all that its index lists, except what other tags of the repository need",
    },
    "dry-run": { type: "boolean", summary: "Only tell what would be deleted" },
    untag: {
      type: "boolean",
      summary: "Where tags can't be deleted, put something empty under the tag and delete that",
    },
    force: { type: "boolean", short: "f", summary: "It is no error when the image is not there" },
    ...RETRY_FLAGS,
  },
  examples: [
    { command: "strake registry delete localhost:5000/app:old", summary: "One tag" },
    {
      command: "strake registry delete localhost:5000/app@$(strake registry digest localhost:5000/app:old)",
      summary: "The image, with all its tags",
    },
    {
      command: "strake registry delete -r localhost:5000/app:old",
      summary: "The image with its images for each platform, unless another tag has them too",
    },
  ],
  async run({ options, positionals }, context) {
    const { stdout, stderr, signal } = context;
    const { untag, force, "dry-run": dryRun } = options;
    const names = positionals.map(requireExplicit);
    const confirm = async (what: string): Promise<boolean> => {
      if (options.yes || !context.stdin.isTTY || !stderr.isTTY) return true;
      const answer = (await new Asker(context).ask(`Delete ${what}? [y/N] `)).toLowerCase();
      if (answer === "y" || answer === "yes") return true;
      stderr.write("Nothing was deleted\n");
      return false;
    };
    if (options.recursive) {
      const { deleteRecursively } = await import("../registry/delete-recursively.ts");
      await using client = await openPlainRegistry(context);
      return (await deleteRecursively(client, names, { dryRun, force, untag, confirm }, context)) ? 0 : 1;
    }
    if (!dryRun && !(await confirm(names.map(({ shown }) => shown).join(", ")))) return 1;
    await using client = await openPlainRegistry(context);
    for (const remote of names) {
      const { reference, shown } = remote;
      const remove = async (): Promise<void> => {
        const wasThere = dryRun
          ? await isThere(client, remote, signal)
          : await deleteName(client, remote, { untag, signal });
        if (wasThere) stdout.write(`${dryRun ? "Would delete" : "Deleted"}: ${shown}\n`);
        else if (!force) await notThere(remote);
      };
      const removeOrExplain = (): Promise<void> =>
        remove().catch(async (error: unknown) => {
          throw await namingDigest(client, remote, error, signal);
        });
      await suggestingTags(client, reference, removeOrExplain, signal);
    }
    return undefined;
  },
});

/** A name without tag would mean `latest`, which nobody should delete by leaving something out. */
function requireExplicit(text: string): RemoteName {
  const remote = parseRemoteName(text);
  const isExplicit = /[:@][^/]*$/.test(text);
  if (isExplicit) return remote;
  throw new CliError("USAGE", `Cannot delete "${text}": it names a whole repository`, {
    hint: `Name a tag or digest: ${remote.shown}`,
  });
}

async function isThere(
  client: RegistryClient,
  { reference, name }: RemoteName,
  signal: AbortSignal,
): Promise<boolean> {
  const { RegistryError } = await import("../../registry/index.ts");
  try {
    await client.repository(reference).resolve(name, { signal });
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.code === "MANIFEST_NOT_FOUND") return false;
    throw error;
  }
}

/** Where single tags can't be deleted, the hint says what can. */
async function namingDigest(
  client: RegistryClient,
  { reference, name }: RemoteName,
  error: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (reference.digest !== undefined || !refusesTags(error)) return error;
  const { RegistryError } = await import("../../registry/index.ts");
  try {
    const { descriptor } = await client.repository(reference).resolve(name, { signal });
    return new RegistryError("UNSUPPORTED", error.message, {
      cause: error.cause,
      hint:
        "--untag takes the tag away by other means; or delete the image itself, with all tags that name it: " +
        `strake registry delete ${formatFamiliarName(reference)}@${descriptor.digest}`,
    });
  } catch (missing) {
    // That the tag is not there says more than that it could not be deleted.
    return missing instanceof RegistryError && missing.code === "MANIFEST_NOT_FOUND" ? missing : error;
  }
}
