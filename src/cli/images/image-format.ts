import type { ImageFormat } from "../../oci/index.ts";
import { nearest } from "../../util/nearest.ts";
import { usageError } from "../error.ts";

/** What skopeo and podman call them. */
const OTHER_NAMES: Readonly<Record<string, ImageFormat>> = { v2s2: "docker", ociv1: "oci" };

/** The value of `--format`. @throws {CliError} USAGE */
export function parseFormat(text: string): ImageFormat {
  if (text === "oci" || text === "docker") return text;
  const meant = OTHER_NAMES[text] ?? nearest(text, ["oci", "docker"]);
  const hint = meant === undefined ? "It is oci or docker" : `Did you mean "${meant}"?`;
  throw usageError(`Cannot use --format "${text}": there is no such format`, hint);
}
