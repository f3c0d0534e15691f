import type { ByteString } from "../../oci/layer-entry.ts";
import { parentPath } from "../../tar/index.ts";
import { statHost } from "./host-files.ts";

/**
 * Says which paths of a layer are folders that no symlink leads to. What the layer made as a folder may have given way to
 * a symlink since, and the kernel would follow that wherever it leads. Asks for each path once: whoever changes
 * the layer needs a new one.
 */
export class RealFolders {
  readonly #hostPath: (path: ByteString) => string;
  readonly #known = new Map<string, boolean>([["", true]]);

  constructor(hostPath: (path: ByteString) => string) {
    this.#hostPath = hostPath;
  }

  has(path: ByteString): boolean {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const isReal = this.has(parentPath(path)) && statHost(this.#hostPath(path))?.isDirectory() === true;
    this.#known.set(path, isReal);
    return isReal;
  }
}
