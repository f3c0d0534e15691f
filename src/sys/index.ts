export { SysError, type SysErrorCode } from "./error.ts";
export { decodeDevice, encodeDevice, makeNode, type NodeOptions } from "./make-node.ts";
export { cString, fsPath } from "./path.ts";
export { sendFile } from "./send-file.ts";
export { setFdMtime, setMtime } from "./set-mtime.ts";
export { Xattrs } from "./xattr.ts";
