import { DOCKER_HUB } from "../../oci/index.ts";
import { defineCommand } from "../command.ts";
import { credentialFile } from "../registry/credential-file.ts";
import { parseRegistryName } from "../registry/registry-name.ts";

export const logout = defineCommand({
  operands: "[REGISTRY]",
  count: { min: 0, max: 1 },
  details: ["Removes what login stored for a registry (Docker Hub, if none is named)."],
  options: {
    authfile: {
      type: "string",
      value: "FILE",
      default: "$REGISTRY_AUTH_FILE, else ~/.docker/config.json",
      summary: "Where it is stored",
    },
  },
  examples: [{ command: "strake logout registry.example.com", summary: "Forget that password" }],
  async run({ options, positionals: [named] }, context) {
    const registry = named === undefined ? DOCKER_HUB : parseRegistryName(named);
    const { removeCredentials } = await import("../../registry/index.ts");
    const path = credentialFile(options.authfile, context);
    const removed = await removeCredentials(registry, { path, env: context.settings.variables });
    context.stdout.write(
      removed ? `Removing login credentials for ${registry}\n` : `Not logged in to ${registry}\n`,
    );
    return undefined;
  },
});
