import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CONTAINER_NAME_PREFIX } from "../container-name.ts";
import type { HostFacts } from "../host/host-facts.ts";
import { encodeRuntimeSpec } from "../spec/encode-runtime-spec.ts";
import { createRuntimeSpec } from "../spec/runtime-spec.ts";
import type { SandboxSpec } from "../types.ts";
import { LayerLinks } from "./layer-links.ts";
import { listMountTargets } from "./mount-targets.ts";
import { createHosts, readResolvConf } from "./network-files.ts";
import { createOpaqueTest } from "./opaque.ts";
import { type ExtraOverlay, type PreparedMount, prepareExtraOverlay, prepareOverlay } from "./overlays.ts";
import { planStubs } from "./plan-stubs.ts";
import { writeStubLayer } from "./write-stub-layer.ts";

/** The folders from which the runtime runs one command. Disposing removes them. */
export interface Bundle extends Disposable {
  /** The container's name, unique on the machine. */
  readonly id: string;
  /** Has config.json, and in it the command's environment. */
  readonly folder: string;
  readonly stateDir: string;
  readonly logFile: string;
  /** To be made before the runtime starts, in this order. */
  readonly mounts: readonly PreparedMount[];
}

export interface BundleOptions {
  /** Holds what is mounted. On a file system that can be an overlay's lower layer, which is any but a few. */
  readonly tempDir: string;
  /** Holds config.json and the runtime's state; `tempDir` when absent. */
  readonly memoryDir?: string | undefined;
  readonly facts: HostFacts;
  /** The host's resolv.conf. */
  readonly resolvConf: string;
  /** Whether the command gets a terminal. */
  readonly hasTerminal?: boolean;
}

/**
 * Writes config.json and what it names. All calls are synchronous: there are about twenty, each of microseconds,
 * and going through the thread pool would cost several times as much.
 */
export function writeBundle(spec: SandboxSpec, options: BundleOptions): Bundle {
  const files = mkdtempSync(join(options.tempDir, "run-"));
  const id = CONTAINER_NAME_PREFIX + basename(files);
  const folder = options.memoryDir === undefined ? join(files, "bundle") : join(options.memoryDir, id);
  const links = new LayerLinks();
  const dispose = (): void => {
    links[Symbol.dispose]();
    for (const path of [folder, files]) rmSync(path, { recursive: true, force: true });
  };
  try {
    mkdirSync(folder, 0o700);
    return {
      id,
      folder,
      stateDir: join(folder, "state"),
      logFile: join(files, "log.json"),
      mounts: fillBundle(spec, options, { id, folder, files, links }),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

interface Draft {
  readonly id: string;
  readonly folder: string;
  /** Where all lies that has no secret in it. */
  readonly files: string;
  readonly links: LayerLinks;
}

function fillBundle(spec: SandboxSpec, options: BundleOptions, draft: Draft): readonly PreparedMount[] {
  const { id, folder, files, links } = draft;
  const isOpaque = createOpaqueTest();
  const extra = new Map<number, ExtraOverlay>();
  spec.mounts.forEach((mount, index) => {
    if (mount.kind !== "overlay") return;
    extra.set(index, prepareExtraOverlay(mount, join(files, `overlay-${index}`), { links, isOpaque }));
  });
  const targets = listMountTargets(spec.mounts, (index) => extra.get(index)?.isFile === true);
  const stubs = planStubs([spec.upper, ...spec.lower], targets, isOpaque);
  const rootfs = join(files, "rootfs");
  const root = prepareOverlay(
    { ...spec, lower: [...writeStubs(stubs, spec, files), ...spec.lower] },
    rootfs,
    links,
  );
  const config = createRuntimeSpec(spec, {
    id,
    facts: options.facts,
    hasTerminal: options.hasTerminal === true,
    paths: {
      rootfs,
      overlaySources: new Map(Array.from(extra, ([index, { source }]) => [index, source])),
      resolvConf: writeShared(join(files, "resolv.conf"), readResolvConf(options.resolvConf)),
      hosts: writeShared(join(files, "hosts"), createHosts(spec.hostname, spec.extraHosts)),
    },
  });
  writeFileSync(join(folder, "config.json"), encodeRuntimeSpec(config), { mode: 0o600 });
  return [root, ...Array.from(extra.values(), ({ mount }) => mount)];
}

/**
 * The folder of a layer that holds the mount points which the root file system lacks, as a list for the top of the
 * lower ones; an empty list when it lacks none. The runtime would make them in `upper`, and with them copies of the
 * folders they are in, which would end up in the image; so nothing has to be taken back afterwards.
 */
function writeStubs(
  stubs: ReturnType<typeof planStubs>,
  spec: SandboxSpec,
  folder: string,
): readonly string[] {
  // The kernel wants at least one lower folder.
  if (stubs.length === 0 && spec.lower.length > 0) return [];
  const layer = join(folder, "stubs");
  mkdirSync(layer);
  writeStubLayer(layer, stubs);
  return [layer];
}

/** A file that every user in the container may read, whatever our umask. */
function writeShared(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}
