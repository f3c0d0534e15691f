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
import { planStubs } from "./plan-stubs.ts";
import { writeStubLayer } from "./write-stub-layer.ts";

/** The folder from which the runtime runs one command. Disposing removes it. */
export interface Bundle extends Disposable {
  /** The container's name, unique on the machine. */
  readonly id: string;
  readonly folder: string;
  readonly stateDir: string;
  readonly logFile: string;
}

export interface BundleOptions {
  /** Holds the bundle. On a file system that can be an overlay's lower layer, which is any but a few. */
  readonly tempDir: string;
  readonly facts: HostFacts;
  /** The host's resolv.conf. */
  readonly resolvConf: string;
}

/**
 * Writes config.json and what it names. All calls are synchronous: there are about twenty, each of microseconds,
 * and going through the thread pool would cost several times as much.
 */
export function writeBundle(spec: SandboxSpec, options: BundleOptions): Bundle {
  const folder = mkdtempSync(join(options.tempDir, "run-"));
  const id = CONTAINER_NAME_PREFIX + basename(folder);
  const links = new LayerLinks();
  const bundle: Bundle = {
    id,
    folder,
    stateDir: join(folder, "state"),
    logFile: join(folder, "log.json"),
    [Symbol.dispose]() {
      links[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    fillBundle(spec, options, { id, folder, links });
    return bundle;
  } catch (error) {
    bundle[Symbol.dispose]();
    throw error;
  }
}

function fillBundle(
  spec: SandboxSpec,
  options: BundleOptions,
  { id, folder, links }: { readonly id: string; readonly folder: string; readonly links: LayerLinks },
): void {
  const rootfs = join(folder, "rootfs");
  mkdirSync(rootfs);
  const { upper, work } = spec;
  const lower = [...writeStubs(spec, folder), ...spec.lower];
  const mountLower = new Map<number, readonly string[]>();
  spec.mounts.forEach((mount, index) => {
    if (mount.kind === "overlay") mountLower.set(index, links.shorten(mount));
  });
  const config = createRuntimeSpec(spec, {
    id,
    facts: options.facts,
    paths: {
      rootfs,
      lower: links.shorten({ lower, upper, work }),
      mountLower,
      resolvConf: writeShared(join(folder, "resolv.conf"), readResolvConf(options.resolvConf)),
      hosts: writeShared(join(folder, "hosts"), createHosts(spec.hostname, spec.extraHosts)),
    },
  });
  writeFileSync(join(folder, "config.json"), encodeRuntimeSpec(config), { mode: 0o600 });
}

/**
 * The folder of a layer that holds the mount points which the root file system lacks, as a list for the top of the
 * lower ones; an empty list when it lacks none. The runtime would make them in `upper`, and with them copies of the
 * folders they are in, which would end up in the image; so nothing has to be taken back afterwards.
 */
function writeStubs(spec: SandboxSpec, folder: string): readonly string[] {
  const layers = [spec.upper, ...spec.lower];
  const stubs = planStubs(layers, listMountTargets(spec.mounts), createOpaqueTest());
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
