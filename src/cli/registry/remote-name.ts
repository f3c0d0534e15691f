import {
  formatFamiliarName,
  formatFamiliarReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { usageError } from "../error.ts";

/** What to ask a registry for. */
export interface RemoteName {
  readonly reference: Reference;
  /** The tag or digest; a digest wins. */
  readonly name: string;
  /** As a person writes it. */
  readonly shown: string;
}

/**
 * An image in a registry; `docker://` in front, as other tools want it, is dropped.
 * @throws {CliError} USAGE
 */
export function parseRemoteName(text: string): RemoteName {
  const reference = asUsage(() => withDefaultTag(parseReference(text.replace(/^docker:\/\//, ""))));
  return {
    reference,
    name: reference.digest ?? reference.tag ?? "latest",
    shown: formatFamiliarReference(reference),
  };
}

/** A repository; a tag or digest would be for nothing. @throws {CliError} USAGE */
export function parseRepository(text: string): { readonly reference: Reference; readonly shown: string } {
  const reference = asUsage(() => parseReference(text.replace(/^docker:\/\//, "")));
  const shown = formatFamiliarName(reference);
  if (reference.tag === undefined && reference.digest === undefined) return { reference, shown };
  throw usageError(`Cannot use "${text}" as a repository: it names one image`, `Write ${shown}`);
}
