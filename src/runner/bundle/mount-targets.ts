import { statSync } from "node:fs";
import type { SandboxMount } from "../types.ts";
import type { MountTarget } from "./plan-stubs.ts";

const DEFAULT_TARGETS: readonly MountTarget[] = [
  { path: "/proc", kind: "dir" },
  { path: "/dev", kind: "dir" },
  { path: "/sys", kind: "dir" },
  { path: "/etc/resolv.conf", kind: "file" },
  { path: "/etc/hosts", kind: "file" },
];

/** Every place in the container that something is mounted on, in the order of mounting. */
export function listMountTargets(mounts: readonly SandboxMount[]): readonly MountTarget[] {
  return [...DEFAULT_TARGETS, ...mounts.map((mount) => ({ path: mount.target, kind: targetKind(mount) }))];
}

function targetKind(mount: SandboxMount): "dir" | "file" {
  switch (mount.kind) {
    case "tmpfs":
      return "dir";
    case "bind":
      return isFile(mount.source) ? "file" : "dir";
    case "overlay":
      // Whichever layer has it: an overlay never mixes the kinds of one name, and what is hidden by a whiteout
      // can't be mounted anyway.
      return mount.lower.some((layer) => isFile(layer + mount.subpath)) ? "file" : "dir";
    default:
      return mount satisfies never;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}
