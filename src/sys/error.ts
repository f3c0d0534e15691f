import { StrakeError } from "../errors.ts";

/** Names of the errnos that callers tell apart; every other one is `UNKNOWN`, with its number in `errno`. */
export type SysErrorCode =
  | "EPERM"
  | "ENOENT"
  | "EIO"
  | "EACCES"
  | "EEXIST"
  | "ENOTDIR"
  | "EINVAL"
  | "ENOSPC"
  | "EROFS"
  | "ERANGE"
  | "ENAMETOOLONG"
  | "ENOSYS"
  | "ELOOP"
  | "ENODATA"
  | "ENOTSUP"
  | "EDQUOT"
  | "UNKNOWN";

export interface SysErrorDetails {
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
}

/** A system call that failed. */
export class SysError extends StrakeError<SysErrorCode> {
  static override readonly name: string = "SysError";
  readonly errno: number;
  readonly syscall: string;

  constructor(details: SysErrorDetails) {
    const code = ERRNO_NAMES.get(details.errno) ?? "UNKNOWN";
    const subject = details.path === undefined ? "" : ` ${JSON.stringify(toText(details.path))}`;
    const state = code === "UNKNOWN" ? `errno ${details.errno}` : code;
    super(code, `Cannot ${details.syscall}${subject}: ${state}`);
    this.errno = details.errno;
    this.syscall = details.syscall;
  }
}

// The numbers are the same on every Linux architecture that Node has a build for.
const ERRNO_NAMES: ReadonlyMap<number, SysErrorCode> = new Map<number, SysErrorCode>([
  [1, "EPERM"],
  [2, "ENOENT"],
  [5, "EIO"],
  [13, "EACCES"],
  [17, "EEXIST"],
  [20, "ENOTDIR"],
  [22, "EINVAL"],
  [28, "ENOSPC"],
  [30, "EROFS"],
  [34, "ERANGE"],
  [36, "ENAMETOOLONG"],
  [38, "ENOSYS"],
  [40, "ELOOP"],
  [61, "ENODATA"],
  [95, "ENOTSUP"],
  [122, "EDQUOT"],
]);

function toText(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
