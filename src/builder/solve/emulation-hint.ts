import { readFile } from "node:fs/promises";
import { formatPlatform, hostPlatform, type Platform } from "../../oci/index.ts";

/** Where the kernel lists the programs that it runs others with. */
const BINFMT_FOLDER = "/proc/sys/fs/binfmt_misc";

/** QEMU's names, where they are not Go's. */
const QEMU_NAMES: Readonly<Record<string, string>> = {
  "386": "i386",
  amd64: "x86_64",
  arm64: "aarch64",
  loong64: "loongarch64",
  mipsle: "mipsel",
  mips64le: "mips64el",
};

/**
 * What to do about a command that the kernel could not run because it is for another kind of machine; undefined where its
 * output does not say so.
 */
export async function emulationHint(platform: Platform, output: string): Promise<string | undefined> {
  if (!/exec format error/i.test(output)) return undefined;
  const name = QEMU_NAMES[platform.architecture] ?? platform.architecture;
  return explainEmulation(platform, hostPlatform(), {
    handler: `qemu-${name}`,
    status: await read(`${BINFMT_FOLDER}/status`),
    entry: await read(`${BINFMT_FOLDER}/qemu-${name}`),
  });
}

/** What the kernel tells of its handlers: files' contents, undefined for those that are not there. */
export interface BinfmtState {
  readonly handler: string;
  readonly status: string | undefined;
  readonly entry: string | undefined;
}

/** The hint as a function of what was found. */
export function explainEmulation(
  platform: Platform,
  host: Platform,
  { handler, status, entry }: BinfmtState,
): string {
  const wanted = formatPlatform(platform);
  if (platform.architecture === host.architecture)
    return `The program is for another kind of machine than ${wanted}, or a script without a #! line`;
  const instead = "or run the step on this machine's platform, FROM --platform=$BUILDPLATFORM";
  const beginning = `This machine runs no ${wanted} programs`;
  if (status === undefined)
    return `${beginning}: mount -t binfmt_misc none ${BINFMT_FOLDER}; apt-get install qemu-user-static; ${instead}`;
  if (status.trim() === "disabled" || entry?.startsWith("disabled"))
    return `${beginning}, since its handlers are off: echo 1 > ${BINFMT_FOLDER}/status; ${instead}`;
  if (entry === undefined)
    return `${beginning} yet: apt-get install qemu-user-static (systemctl restart systemd-binfmt, if it is installed), ${instead}`;
  if (!/^flags: .*F/m.test(entry))
    return `${beginning} in containers, since the handler ${handler} has no flag F: install a qemu-user-static that sets it, ${instead}`;
  return `The handler ${handler} is there and could not run the program: is it for ${wanted}?`;
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
