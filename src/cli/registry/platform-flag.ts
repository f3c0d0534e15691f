import { type Platform, parsePlatform } from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";

/** What `--platform` names; undefined when it isn't given. @throws {CliError} USAGE */
export function parsePlatformFlag(text: string | undefined): Platform | undefined {
  return text === undefined ? undefined : asUsage(() => parsePlatform(text));
}
