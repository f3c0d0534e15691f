import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { decompress } from "../../store/index.ts";
import { unpackLayer } from "../../store/layers/index.ts";
import { TarError } from "../../tar/index.ts";
import { BuildError } from "../error.ts";

/**
 * Unpacks a context that came as a tar, compressed or not, into a folder of its own below `tmpDir`; returns it. The
 * archive is treated like a layer: nothing leaves the folder, and of several entries for one path the last counts.
 * @throws {BuildError} INPUT_MISSING when it is no tar
 */
export async function unpackContext(
  archive: AsyncIterable<Uint8Array>,
  tmpDir: string,
  signal: AbortSignal,
  what = "Standard input",
): Promise<string> {
  const root = await mkdtemp(join(tmpDir, "context-"));
  try {
    await unpackLayer(decompress(archive), root, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof TarError)) throw cause;
    throw new BuildError("INPUT_MISSING", `Cannot read the build context: ${cause.message}`, {
      hint: `${what} must be a tar (plain or compressed) or a Dockerfile`,
      cause,
    });
  }
  return root;
}
