import { StrakeError } from "../../errors.ts";
import { formatFamiliarName } from "../../oci/index.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { defineCommand } from "../command.ts";
import { CliError } from "../error.ts";
import { Asker } from "../registry/ask.ts";
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
  ],
  async run({ options, positionals }, context) {
    const { stdin, stdout, stderr, signal } = context;
    const names = positionals.map(requireExplicit);
    if (stdin.isTTY && stderr.isTTY && !options.yes) {
      const asked = `Delete ${names.map(({ shown }) => shown).join(", ")}? [y/N] `;
      const answer = (await new Asker(context).ask(asked)).toLowerCase();
      if (answer !== "y" && answer !== "yes") {
        stderr.write("Nothing was deleted\n");
        return 1;
      }
    }
    await using client = await openPlainRegistry(context);
    for (const remote of names) {
      const { reference, shown } = remote;
      const remove = async (): Promise<void> => {
        const wasThere = await deleteName(client, remote, { untag: options.untag, signal });
        if (wasThere) stdout.write(`Deleted: ${shown}\n`);
        else if (!options.force) throw await notThere(remote);
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

/** @returns whether it was there */
async function deleteName(
  client: RegistryClient,
  { reference, name }: RemoteName,
  { untag, signal }: { readonly untag: boolean | undefined; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    return await client.repository(reference).deleteManifest(name, { signal });
  } catch (error) {
    if (untag !== true || reference.digest !== undefined || !refusesTags(error)) throw error;
    const { removeTag } = await import("../../registry/index.ts");
    return await removeTag(client, { ...reference, tag: name }, { signal });
  }
}

function refusesTags(error: unknown): error is StrakeError {
  return (
    error instanceof StrakeError &&
    error.code === "UNSUPPORTED" &&
    error.message.includes("deletes no single tags")
  );
}

/** A name without tag would mean `latest`, which nobody should delete by leaving something out. */
function requireExplicit(text: string): RemoteName {
  const remote = parseRemoteName(text);
  const isExplicit = /[:@][^/]*$/.test(text);
  if (isExplicit) return remote;
  throw new CliError("USAGE", `Cannot delete "${text}": it names a whole repository`, {
    hint: `Name a tag or digest: ${remote.shown}`,
  });
}

async function notThere({ reference, shown }: RemoteName): Promise<Error> {
  const { RegistryError } = await import("../../registry/index.ts");
  const { registry, repository } = reference;
  return new RegistryError("MANIFEST_NOT_FOUND", `Cannot delete "${shown}": ${registry} does not have it`, {
    registry,
    repository,
  });
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
