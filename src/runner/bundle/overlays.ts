import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { RunnerError } from "../error.ts";
import type { SandboxMount } from "../types.ts";
import type { LayerLinks } from "./layer-links.ts";
import { type OverlayFolders, overlayOptions } from "./overlay-options.ts";
import { resolvePath } from "./resolve-path.ts";

/** A mount to be made in the run's own mount namespace before the runtime starts, with mount(8)'s words. */
export interface PreparedMount {
  readonly type: string;
  readonly options: string;
  readonly target: string;
}

/** An overlay among the extra mounts. */
export interface ExtraOverlay {
  readonly mount: PreparedMount;
  /** The part of it that is to be shown: an absolute path, free of symlinks. */
  readonly source: string;
  readonly isFile: boolean;
}

/** Makes the folder that the overlay is to be mounted on. */
export function prepareOverlay(folders: OverlayFolders, target: string, links: LayerLinks): PreparedMount {
  mkdirSync(target);
  return { type: "overlay", options: overlayOptions(links.shorten(folders)).join(","), target };
}

/**
 * The same for an overlay of which a part is mounted for the command. The part is looked up here, inside the layers:
 * the kernel would follow a symlink in it to the host's files.
 * @throws {RunnerError} RUNTIME_FAILED when the layers have no such path
 */
export function prepareExtraOverlay(
  mount: SandboxMount & { readonly kind: "overlay" },
  target: string,
  options: { readonly links: LayerLinks; readonly isOpaque: (path: string) => boolean },
): ExtraOverlay {
  const found = resolvePath([mount.upper, ...mount.lower], mount.subpath, options.isOpaque);
  if (found.kind === "missing" || found.kind === "impossible")
    throw new RunnerError(
      "RUNTIME_FAILED",
      `Cannot mount "${mount.target}": its source has no "${mount.subpath}" (no such file or directory)`,
    );
  return {
    mount: prepareOverlay(mount, target, options.links),
    source: join(target, found.path),
    isFile: found.kind === "file",
  };
}
