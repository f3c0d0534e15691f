import { type Platform, parsePlatform } from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";

/** What `--platform` names; undefined when it isn't given. @throws {CliError} USAGE */
export function parsePlatformFlag(text: string | undefined): Platform | undefined {
  return text === undefined ? undefined : asUsage(() => parsePlatform(text));
}

/** The same for a flag that can be given more than once, each time with a list. @throws {CliError} USAGE */
export function parsePlatformFlags(texts: readonly string[]): readonly Platform[] {
  return texts.flatMap((text) => text.split(",")).map((text) => asUsage(() => parsePlatform(text)));
}
