import { chmod, mkdir } from "node:fs/promises";
import { createHasher, type Digest } from "../../oci/digest.ts";
import { FileWriter } from "../blobs/file-writer.ts";
import { onDisk } from "../disk/disk-fault.ts";
import type { StoreEnvironment } from "../environment.ts";
import type { PendingSnapshot, PendingTar } from "../types.ts";
import type { LayerFolders } from "./layer-folders.ts";
import type { LayerUses } from "./layer-uses.ts";

/** Starts a snapshot in the temporary space: `fs/` will be its files, `work/` is for the overlay. */
export async function prepareSnapshot(
  env: StoreEnvironment,
  folders: LayerFolders,
  uses: LayerUses,
): Promise<PendingSnapshot> {
  const folder = await env.temp.makeFolder("snapshot");
  const [upper, work] = [`${folder}/fs`, `${folder}/work`];
  await onDisk("prepare a snapshot", folder, async () => {
    await mkdir(upper);
    await chmod(upper, 0o755); // whatever the umask
    await mkdir(work);
  });
  let over = false;
  return {
    upper,
    work,
    async commit({ diffId, tarSize, treeId }) {
      if (over) throw new TypeError("This snapshot was committed or discarded before");
      over = true;
      try {
        await uses.hold(diffId);
        await env.temp.discard(work);
        return await folders.installSnapshot(folder, { diffId, tarSize, treeId, madeBy: "build" });
      } catch (error) {
        await env.temp.discard(folder);
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      if (over) return;
      over = true;
      await env.temp.discard(folder);
    },
  };
}

/** Starts a tar in the temporary space. */
export async function prepareTar(env: StoreEnvironment, folders: LayerFolders): Promise<PendingTar> {
  const folder = await env.temp.makeFolder("tar");
  const writer = await FileWriter.open(`${folder}/layer.tar`, { attempt: "write a layer", sync: false });
  const hasher = createHasher();
  const discard = async (): Promise<void> => {
    await writer[Symbol.asyncDispose]();
    await env.temp.discard(folder);
  };
  let over = false;
  return {
    write(chunk) {
      if (over) throw new TypeError("This tar was committed or discarded before");
      hasher.update(chunk);
      return writer.write(chunk);
    },
    async commit({ treeId }: { readonly treeId?: Digest } = {}) {
      if (over) throw new TypeError("This tar was committed or discarded before");
      over = true;
      try {
        await writer.finish();
        const [diffId, tarSize] = [hasher.digest(), writer.position];
        await folders.installTar(folder, { diffId, tarSize, treeId });
        return { diffId, tarSize };
      } catch (error) {
        await discard();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      if (over) return;
      over = true;
      await discard();
    },
  };
}
