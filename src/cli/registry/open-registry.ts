import type { OnRegistryEvent, RegistryClient } from "../../registry/index.ts";
import { VERSION } from "../version.ts";

/** A registry client. Loads its code now. */
export async function openRegistry(onEvent: OnRegistryEvent): Promise<RegistryClient> {
  const { RegistryClient } = await import("../../registry/index.ts");
  return new RegistryClient({ userAgent: `strake/${VERSION}`, onEvent });
}
