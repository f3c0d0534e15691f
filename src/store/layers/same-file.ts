import { closeSync, lstatSync, openSync, readSync } from "node:fs";
import { fsPath, type Xattrs } from "../../sys/index.ts";
import { readLayerXattrs } from "./overlay-marks.ts";
import type { LayerNode } from "./types.ts";

/**
 * Whether a file in an upper folder shows nothing else than the one below it. As containerd decides it: kind, mode,
 * owner, device and attributes must agree, and but for folders the size and the time to the nanosecond. Where both
 * times are whole seconds, which is what files out of a tar have, the content decides.
 */
export function isSameFile(a: LayerNode, b: LayerNode, xattrs: Xattrs): boolean {
  const isAlike =
    a.kind === b.kind &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.major === b.major &&
    a.minor === b.minor &&
    a.link === b.link &&
    (a.kind === "dir" || (a.size === b.size && a.mtimeSeconds === b.mtimeSeconds));
  if (!isAlike || !haveSameXattrs(a, b, xattrs)) return false;
  if (a.kind === "dir") return true;
  const timeA = lstatSync(fsPath(a.hostPath), { bigint: true }).mtimeNs;
  const timeB = lstatSync(fsPath(b.hostPath), { bigint: true }).mtimeNs;
  if (timeA !== timeB) return false;
  if (a.kind !== "file" || a.size === 0 || timeA % NS_PER_SECOND !== 0n) return true;
  return haveSameContent(a.hostPath, b.hostPath);
}

const NS_PER_SECOND = 1_000_000_000n;

function haveSameXattrs(a: LayerNode, b: LayerNode, xattrs: Xattrs): boolean {
  const ofA = readLayerXattrs(xattrs, a.hostPath);
  const ofB = readLayerXattrs(xattrs, b.hostPath);
  if (ofA === undefined || ofB === undefined) return ofA === ofB;
  if (ofA.size !== ofB.size) return false;
  for (const [name, value] of ofA) {
    const other = ofB.get(name);
    if (other === undefined || Buffer.compare(value, other) !== 0) return false;
  }
  return true;
}

const COMPARE_BYTES = 256 * 1024;

function haveSameContent(a: string, b: string): boolean {
  const fdA = openSync(fsPath(a), "r");
  try {
    const fdB = openSync(fsPath(b), "r");
    try {
      const bufferA = Buffer.allocUnsafe(COMPARE_BYTES);
      const bufferB = Buffer.allocUnsafe(COMPARE_BYTES);
      for (;;) {
        const countA = readSync(fdA, bufferA, 0, COMPARE_BYTES, null);
        const countB = readSync(fdB, bufferB, 0, COMPARE_BYTES, null);
        if (countA !== countB || bufferA.compare(bufferB, 0, countB, 0, countA) !== 0) return false;
        if (countA === 0) return true;
      }
    } finally {
      closeSync(fdB);
    }
  } finally {
    closeSync(fdA);
  }
}
