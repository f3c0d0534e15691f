import type { OnRegistryEvent, RegistryClient } from "../../registry/index.ts";
import type { Settings } from "../environment.ts";
import { VERSION } from "../version.ts";

/** A registry client with this user's credentials. Loads its code now. */
export async function openRegistry(
  { variables, home }: Pick<Settings, "variables" | "home">,
  onEvent: OnRegistryEvent,
): Promise<RegistryClient> {
  const { RegistryClient, createFileCredentials, credentialFiles } = await import("../../registry/index.ts");
  const credentials = createFileCredentials({
    env: variables,
    inlineConfig: variables["DOCKER_AUTH_CONFIG"],
    files: credentialFiles(variables, home),
    onWarning: (text) => onEvent({ kind: "warning", registry: "Credentials", text }),
  });
  return new RegistryClient({ userAgent: `strake/${VERSION}`, credentials, onEvent });
}
