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

/**
 * Every place in the container that something is mounted on, in the order of mounting.
 * @param isFileOverlay whether the overlay with that place in the list shows a single file
 */
export function listMountTargets(
  mounts: readonly SandboxMount[],
  isFileOverlay: (index: number) => boolean,
): readonly MountTarget[] {
  const isFile = (mount: SandboxMount, index: number): boolean => {
    switch (mount.kind) {
      case "tmpfs":
        return false;
      case "bind":
        return statSync(mount.source, { throwIfNoEntry: false })?.isDirectory() === false;
      case "overlay":
        return isFileOverlay(index);
      default:
        return mount satisfies never;
    }
  };
  return [
    ...DEFAULT_TARGETS,
    ...mounts.map(
      (mount, index): MountTarget => ({
        path: mount.target,
        kind: isFile(mount, index) ? "file" : "dir",
        // A tmpfs gets the mode of the folder it is on. In Docker the runtime makes that, and the kernel's own counts.
        ...(mount.kind === "tmpfs" && { mode: 0o1777 }),
      }),
    ),
  ];
}
