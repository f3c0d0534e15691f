import { Xattrs } from "../../sys/index.ts";

/** A test for folders that hide what lower layers have below them. The attribute's other value, `x`, means no such thing. */
export function createOpaqueTest(): (path: string) => boolean {
  let xattrs: Xattrs | undefined;
  return (path) => {
    xattrs ??= new Xattrs();
    const value = xattrs.get(Buffer.from(path).toString("latin1"), "user.overlay.opaque");
    return value?.length === 1 && value[0] === 0x79; // "y"
  };
}
