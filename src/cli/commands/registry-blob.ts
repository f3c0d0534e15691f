import { resolve } from "node:path";
import { verifyBlob } from "../../oci/index.ts";
import { defineCommand } from "../command.ts";
import { CliError, usageError } from "../error.ts";
import { openPlainRegistry } from "../registry/open-plain.ts";
import { parseRemoteName } from "../registry/remote-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { writeFileWhole } from "../registry/write-file-whole.ts";

export const registryBlob = defineCommand({
  operands: "REPOSITORY@DIGEST",
  count: { min: 1, max: 1 },
  details: ["Writes a layer, a config or whatever else has that digest, and checks that it has."],
  options: {
    output: { type: "string", short: "o", value: "FILE", default: "standard output", summary: "Where to" },
    ...RETRY_FLAGS,
  },
  examples: [
    {
      command: "strake registry blob debian@sha256:… | tar tz",
      summary: "What is in a layer",
    },
  ],
  async run({ options, positionals: [named = ""] }, context) {
    const { stdout, signal, cwd } = context;
    const { reference, shown } = parseRemoteName(named);
    const { digest } = reference;
    if (digest === undefined) {
      throw usageError(`Cannot find a blob by "${named}": it has no digest`, "Write REPOSITORY@sha256:…");
    }
    await using client = await openPlainRegistry(context);
    const repository = client.repository(reference);
    const { size } = await repository.statBlob(digest, { signal });
    if (size === undefined)
      throw new CliError(
        "INPUT_UNUSABLE",
        `Cannot fetch blob "${shown}": the registry does not tell its size`,
      );
    const descriptor = { mediaType: "application/octet-stream", digest, size };
    const bytes = verifyBlob(await repository.openBlob(descriptor, { signal }), descriptor);
    if (options.output !== undefined && options.output !== "-") {
      await writeFileWhole(resolve(cwd, options.output), bytes);
      return undefined;
    }
    for await (const chunk of bytes) {
      if (stdout.isTTY && chunk.includes(0)) {
        throw new CliError("OUTPUT_REFUSED", `Cannot show blob "${shown}": it is not text`, {
          hint: "Write it to a file with -o FILE, or pipe it into something",
        });
      }
      await stdout.writeBytes(chunk);
    }
    return undefined;
  },
});
