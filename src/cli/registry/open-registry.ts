import type { OnRegistryEvent, RegistryClient, RegistryClientOptions } from "../../registry/index.ts";
import type { Settings } from "../environment.ts";
import { VERSION } from "../version.ts";
import { parseMirrors } from "./mirrors.ts";
import { readRetryTimeout } from "./retry-flag.ts";

/** A registry client with this user's credentials, certificates, proxies and mirrors. Loads its code now. */
export async function openRegistry(
  settings: Settings,
  onEvent: OnRegistryEvent,
  options: Pick<RegistryClientOptions, "foreignLayers"> = {},
): Promise<RegistryClient> {
  const { variables, home, insecureRegistries, registryMirrors } = settings;
  const retryTimeoutMs = readRetryTimeout(settings);
  const listener = await withTrace(onEvent, settings.registryLog);
  const { RegistryClient, settingsFromEnvironment } = await import("../../registry/index.ts");
  const fromEnvironment = settingsFromEnvironment({
    env: variables,
    home,
    insecure: insecureRegistries,
    mirrors: parseMirrors(registryMirrors),
    onWarning: (text) => listener({ kind: "warning", registry: "Credentials", text }),
  });
  return new RegistryClient({
    userAgent: `strake/${VERSION}`,
    retryTimeoutMs,
    ...fromEnvironment,
    ...options,
    onEvent: listener,
  });
}

async function withTrace(onEvent: OnRegistryEvent, path: string | undefined): Promise<OnRegistryEvent> {
  if (path === undefined) return onEvent;
  const { createTrace } = await import("./trace.ts");
  const trace = createTrace(path);
  return (event) => {
    trace(event);
    onEvent(event);
  };
}
