import type { OnRegistryEvent, RegistryClient, RegistryClientOptions } from "../../registry/index.ts";
import type { Settings } from "../environment.ts";
import { VERSION } from "../version.ts";
import { parseMirrors } from "./mirrors.ts";

/** A registry client with this user's credentials, certificates, proxies and mirrors. Loads its code now. */
export async function openRegistry(
  { variables, home, insecureRegistries, registryMirrors }: Settings,
  onEvent: OnRegistryEvent,
  options: Pick<RegistryClientOptions, "foreignLayers"> = {},
): Promise<RegistryClient> {
  const { RegistryClient, settingsFromEnvironment } = await import("../../registry/index.ts");
  const settings = settingsFromEnvironment({
    env: variables,
    home,
    insecure: insecureRegistries,
    mirrors: parseMirrors(registryMirrors),
    onWarning: (text) => onEvent({ kind: "warning", registry: "Credentials", text }),
  });
  return new RegistryClient({ userAgent: `strake/${VERSION}`, ...settings, ...options, onEvent });
}
