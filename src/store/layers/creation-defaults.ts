import { readFileSync } from "node:fs";
import type { LayerEntry } from "../../oci/layer-entry.ts";
import type { Xattrs } from "../../sys/index.ts";
import { statHost } from "./host-files.ts";

const SETGID = 0o2000;
const ALL_BITS = 0o777;

/**
 * What the kernel gives a file that this process creates below a folder: knowing it saves two calls of the six that
 * unpacking a small file takes, for most files.
 */
export class CreationDefaults {
  readonly #uid = process.geteuid?.();
  readonly #gid = process.getegid?.();
  readonly #umask: number;
  /** A setgid folder hands its group down. */
  #hasSetgid: boolean;

  constructor(root: string, xattrs: Xattrs) {
    // A default ACL takes the umask's place, and is handed down like the group.
    this.#umask = xattrs.get(root, "system.posix_acl_default") === undefined ? readUmask() : ALL_BITS;
    this.#hasSetgid = ((statHost(root)?.mode ?? SETGID) & SETGID) !== 0;
  }

  /** Must be told of every folder that is made. */
  noteFolder(mode: number): void {
    if ((mode & SETGID) !== 0) this.#hasSetgid = true;
  }

  /** Whether a new file belongs to whom the entry says. */
  haveOwner({ uid, gid }: LayerEntry): boolean {
    return !this.#hasSetgid && uid === this.#uid && gid === this.#gid;
  }

  /** Whether a file created with the entry's mode has it; special bits are always set afterwards. */
  haveMode({ mode }: LayerEntry): boolean {
    return mode <= 0o777 && (mode & this.#umask) === 0;
  }
}

/** From /proc: process.umask() would change it for a moment, for all threads. All bits when it cannot be read. */
function readUmask(): number {
  try {
    const [, octal] = /^Umask:\s*([0-7]+)$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? [];
    return octal === undefined ? ALL_BITS : Number.parseInt(octal, 8);
  } catch {
    return ALL_BITS; // no /proc here: then every mode is set
  }
}
