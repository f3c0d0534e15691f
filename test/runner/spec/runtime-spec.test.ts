import { describe, expect, test } from "vitest";
import type { HostFacts } from "../../../src/runner/host/host-facts.ts";
import { encodeRuntimeSpec } from "../../../src/runner/spec/encode-runtime-spec.ts";
import { createRuntimeSpec } from "../../../src/runner/spec/runtime-spec.ts";
import type { SandboxMount, SandboxSpec } from "../../../src/runner/types.ts";

const SPEC: SandboxSpec = {
  lower: ["/l"],
  upper: "/u",
  work: "/w",
  argv: ["sh", "-c", "true"],
  env: ["A=1"],
  cwd: "/src",
  uid: 1000,
  gid: 100,
  additionalGids: [4],
  mounts: [],
  network: "host",
  hostname: "buildkitsandbox",
  insecure: false,
  shmSizeBytes: 1234,
  ulimits: [],
  extraHosts: [],
};

const FACTS: HostFacts = {
  architecture: "x64",
  kernelRelease: "6.1.0",
  hasSeccomp: true,
  capabilities: ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_SYS_RESOURCE", "CAP_KILL"],
  hardLimits: new Map([["nofile", 4096]]),
  inUserNamespace: false,
  cgroups: { folders: [], isMounted: true, parent: undefined },
};

const PATHS = {
  rootfs: "/b/rootfs",
  resolvConf: "/b/resolv.conf",
  hosts: "/b/hosts",
  overlaySources: new Map([[0, "/b/overlay-0/a"]]),
};

function create(change: Partial<SandboxSpec> = {}, facts: Partial<HostFacts> = {}, paths = PATHS) {
  return createRuntimeSpec({ ...SPEC, ...change }, { facts: { ...FACTS, ...facts }, paths, id: "strake-x" });
}

function destinations(mounts: readonly SandboxMount[]): readonly string[] {
  return create({ mounts }).mounts.map(({ destination }) => destination);
}

describe("createRuntimeSpec()", () => {
  test("takes over what the command is and who runs it", () => {
    const { process, hostname } = create();
    expect(process).toMatchObject({
      terminal: false,
      user: { uid: 1000, gid: 100, umask: 0o22, additionalGids: [4] },
      args: ["sh", "-c", "true"],
      env: ["A=1"],
      cwd: "/src",
      noNewPrivileges: false,
    });
    expect(hostname).toBe("buildkitsandbox");
  });

  test("mounts Docker's defaults, then what is extra, in the order given", () => {
    expect(create().root).toEqual({ path: "/b/rootfs", readonly: false });
    const defaults =
      "/proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /etc/resolv.conf /etc/hosts".split(" ");
    expect(destinations([])).toEqual(defaults);
    expect(
      destinations([
        { kind: "tmpfs", target: "/sys/x" },
        { kind: "tmpfs", target: "/b" },
        { kind: "tmpfs", target: "/a" },
      ]),
    ).toEqual([...defaults, "/sys/x", "/b", "/a"]);
  });

  test.each<[title: string, mount: SandboxMount, expected: string]>([
    ["a bind", { kind: "bind", source: "/s", target: "/t", readonly: true }, "/t bind /s rbind,rro"],
    ["a writable bind", { kind: "bind", source: "/s", target: "/t", readonly: false }, "/t bind /s rbind,rw"],
    ["a tmpfs", { kind: "tmpfs", target: "/t" }, "/t tmpfs tmpfs nosuid"],
    ["a bounded tmpfs", { kind: "tmpfs", target: "/t", sizeBytes: 7 }, "/t tmpfs tmpfs nosuid,size=7"],
    [
      "a part of an overlay",
      {
        kind: "overlay",
        lower: ["/x"],
        upper: "/mu",
        work: "/mw",
        subpath: "/a",
        target: "/t",
        readonly: true,
      },
      "/t bind /b/overlay-0/a rbind,rro",
    ],
  ])("mounts %s", (_, mount, expected) => {
    const last = create({ mounts: [mount] }).mounts.at(-1);
    expect([last?.destination, last?.type, last?.source, last?.options.join()].join(" ")).toBe(expected);
  });

  test("protects what is mounted below a read-only source where the kernel can", () => {
    const mounts = [{ kind: "bind", source: "/s", target: "/t", readonly: true }] as const;
    const option = (kernelRelease: string) => create({ mounts }, { kernelRelease }).mounts.at(-1)?.options[1];
    expect([option("5.11.0-27-generic"), option("5.12.1"), option("6.0.0")]).toEqual(["ro", "rro", "rro"]);
  });

  test("shows the host's /sys where sysfs can't be mounted: in a user namespace with the host's network", () => {
    const sys = (network: "host" | "none", inUserNamespace: boolean) =>
      create({ network }, { inUserNamespace }).mounts.find(({ destination }) => destination === "/sys")?.type;
    expect([sys("host", true), sys("none", true), sys("host", false)]).toEqual(["bind", "sysfs", "sysfs"]);
  });

  test("makes a network namespace only for no network", () => {
    const types = (network: "host" | "none") => create({ network }).linux.namespaces.map(({ type }) => type);
    expect(types("host")).toEqual(["pid", "ipc", "uts", "mount"]);
    expect(types("none")).toEqual(["pid", "ipc", "uts", "mount", "network"]);
  });

  test("gives of Docker's capabilities those that we have, in three sets", () => {
    const granted = ["CAP_CHOWN", "CAP_KILL"];
    expect(create().process.capabilities).toEqual({
      bounding: granted,
      effective: granted,
      permitted: granted,
      inheritable: [],
      ambient: [],
    });
  });

  test("gives an insecure command everything", () => {
    const { process, linux, mounts } = create({ insecure: true });
    expect(Object.values(process.capabilities)).toEqual(Array(5).fill(FACTS.capabilities));
    expect(linux).toMatchObject({
      maskedPaths: [],
      readonlyPaths: [],
      resources: { devices: [{ allow: true, access: "rwm" }] },
    });
    expect(linux.seccomp).toBeUndefined();
    expect(linux.devices?.map(({ path }) => path)).toContain("/dev/fuse");
    expect(mounts.find(({ destination }) => destination === "/sys")?.options).toContain("rw");
  });

  test("has no filter where the kernel or we have none", () => {
    expect(create().linux.seccomp).toBeDefined();
    expect(create({}, { hasSeccomp: false }).linux.seccomp).toBeUndefined();
    expect(create({}, { architecture: "mips" }).linux.seccomp).toBeUndefined();
  });

  test("names a cgroup and rules devices only where that can work", () => {
    const cgroups = { folders: [], isMounted: true, parent: "/job" };
    expect(create({}, { cgroups }).linux).toMatchObject({
      cgroupsPath: "/job/strake-x",
      resources: { devices: [{ allow: false, access: "rwm" }] },
    });
    expect(create().linux.cgroupsPath).toBeUndefined();
    const rootless = create({}, { cgroups, inUserNamespace: true }).linux;
    expect([rootless.cgroupsPath, rootless.resources]).toEqual([undefined, undefined]);
  });

  test("mounts no cgroups where there are none", () => {
    const cgroups = { folders: [], isMounted: false, parent: undefined };
    expect(create({}, { cgroups }).mounts.map(({ type }) => type)).not.toContain("cgroup");
  });
});

describe("encodeRuntimeSpec()", () => {
  test("writes an unlimited resource with the digits of 2^64-1", () => {
    const ulimits = [{ name: "core", soft: 0, hard: -1 }];
    expect(encodeRuntimeSpec(create({ ulimits }))).toContain(
      '{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}',
    );
  });

  test("leaves alone what only looks like a limit", () => {
    const env = ['X="hard":-1,'];
    expect(JSON.parse(encodeRuntimeSpec(create({ env })))).toMatchObject({ process: { env } });
  });
});
