import { expect, test } from "vitest";
import type { SandboxMount } from "../../src/runner/index.ts";
import { Xattrs } from "../../src/sys/index.ts";
import { describeForEveryone } from "../runner/for-everyone.ts";
import { sh } from "../runner/sandbox-world.ts";

describeForEveryone("the files of a sandbox", (world) => {
  test("leave what the command changed in the upper folder and nothing else", async () => {
    const upper = await world().layer();
    await world().run({
      ...sh("mkdir /made; echo text > /made/file; rm /etc/group; mv /root /moved"),
      upper,
    });
    expect(await world().list(upper)).toEqual(
      [
        "c 0 0:0 etc/group",
        "c 0 0:0 root",
        "d 755 0:0 etc",
        "d 755 0:0 made",
        "f 644 0:0 made/file",
        "d 755 0:0 moved",
      ].sort((a, b) => (a.split(" ")[3]! < b.split(" ")[3]! ? -1 : 1)),
    );
  });

  test("are whiteouts and opaque folders as a layer has them, by user.overlay attributes", async () => {
    const layer = await world().layer("mkdir -p old/deep; echo 1 > old/file; echo 2 > old/deep/file");
    const upper = await world().layer();
    const run = sh("rm /old/file; rm -r /old/deep; mkdir /old/deep; echo new > /old/deep/other");
    await world().run({ ...run, lower: [layer, world().base], upper });
    expect(await world().list(upper)).toEqual([
      "d 755 0:0 old",
      "d 755 0:0 old/deep",
      "f 644 0:0 old/deep/other",
      "c 0 0:0 old/file",
    ]);
    const opaque = new Xattrs().get(`${upper}/old/deep`, "user.overlay.opaque");
    expect(Buffer.from(opaque ?? []).toString()).toBe("y");
    expect(await world().shell(`stat -c %t,%T ${upper}/old/file`)).toBe("0,0\n");
    // And read back as lower layers they mean the same.
    const { stdout } = await world().run({ ...sh("find /old | sort"), lower: [upper, layer, world().base] });
    expect(stdout).toBe("/old\n/old/deep\n/old/deep/other\n");
  });

  test("come from 127 layers, the topmost first", async () => {
    const lower: string[] = [world().base];
    for (let i = 1; i < 127; i++)
      lower.unshift(await world().layer(`echo ${i} > top; echo ${i} > file-${i}`));
    const { stdout } = await world().run({ ...sh("cat /top; ls / | grep -c ^file-"), lower });
    expect(stdout).toBe("126\n126\n");
  });

  test("come from and go to folders whose names are full of separators", async () => {
    const layer = await world().layer("mkdir 'a:b,c\\d'; echo found > 'a:b,c\\d/file'");
    const upper = `${await world().layer("mkdir 'u:u,u'")}/u:u,u`;
    const run = sh("cat /file; touch /made");
    const { stdout } = await world().run({ ...run, lower: [`${layer}/a:b,c\\d`, world().base], upper });
    expect(stdout).toBe("found\n");
    expect(await world().list(upper)).toEqual(["f 644 0:0 made"]);
  });

  test("show no trace of what is mounted for the command", async () => {
    const upper = await world().layer();
    const { stdout } = await world().run({
      ...sh(
        "test -s /etc/hosts && test -d /proc/1 && test -c /dev/null && test -d /sys/class && ls -A /made/by/mount",
      ),
      upper,
      mounts: [
        { kind: "bind", source: await world().layer("touch seen"), target: "/made/by/mount", readonly: true },
        { kind: "tmpfs", target: "/root/tmpfs" },
        { kind: "bind", source: `${world().base}/etc/passwd`, target: "/etc/deep/file", readonly: true },
      ],
    });
    expect(stdout).toBe("seen\n");
    expect(await world().list(upper)).toEqual([]);
  });

  test("a tmpfs has the mode of the folder it is on, and is everybody's where there was none", async () => {
    const layer = await world().layer("mkdir -p mine real; chmod 700 mine; ln -s real link");
    const { stdout } = await world().run({
      ...sh("stat -c '%n %a' /mine /new/deep /new /link/x /new/deep/er"),
      lower: [layer, world().base],
      mounts: [
        { kind: "tmpfs", target: "/mine" },
        { kind: "tmpfs", target: "/new/deep" },
        { kind: "tmpfs", target: "/link/x" },
        { kind: "tmpfs", target: "/new/deep/er" },
      ],
    });
    expect(stdout).toBe("/mine 700\n/new/deep 1777\n/new 755\n/link/x 1777\n/new/deep/er 1777\n");
  });

  test("keep the times of a folder that only got mount points", async () => {
    const { stdout } = await world().run({
      ...sh("stat -c '%Y %a %u:%g' /etc /root; touch /root/new"),
      mounts: [{ kind: "tmpfs", target: "/root/tmpfs" }],
    });
    expect(stdout).toBe("1577836800 755 0:0\n1577836800 755 0:0\n");
  });

  test("keep what the command did beside a mount point, and only that", async () => {
    const upper = await world().layer();
    await world().run({
      ...sh("echo x > /made/by/file; chmod 700 /made"),
      upper,
      mounts: [{ kind: "tmpfs", target: "/made/by/mount" }],
    });
    expect(await world().list(upper)).toEqual([
      "d 700 0:0 made",
      "d 755 0:0 made/by",
      "f 644 0:0 made/by/file",
    ]);
  });

  test("follow a symlink in place of resolv.conf without leaving its target", async () => {
    const layer = await world().layer("mkdir etc; ln -s ../run/resolve/stub.conf etc/resolv.conf");
    const upper = await world().layer();
    const { exitCode } = await world().run({
      ...sh("test -L /etc/resolv.conf && test -f /run/resolve/stub.conf"),
      lower: [layer, world().base],
      upper,
    });
    expect(exitCode).toBe(0);
    expect(await world().list(upper)).toEqual([]);
  });

  test("have the host's resolv.conf, and hosts with extra lines, both read-only", async () => {
    const { stdout, stderr } = await world().run({
      ...sh("cat /etc/resolv.conf; echo ---; cat /etc/hosts; echo x >> /etc/hosts"),
      extraHosts: [{ name: "db.example", address: "10.1.2.3" }],
    });
    const [resolvConf, hosts] = stdout.split("---\n");
    expect(resolvConf).toBe(await world().shell("cat /etc/resolv.conf"));
    expect(hosts).toBe(
      "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n10.1.2.3\tdb.example\n",
    );
    expect(stderr).toContain("Read-only file system");
  });

  test("are bound read-only or writable", async () => {
    const source = await world().layer("echo old > file");
    const bind = { kind: "bind", source, target: "/mnt/bound" } as const;
    const write = sh("echo new > /mnt/bound/file");
    expect((await world().run({ ...write, mounts: [{ ...bind, readonly: true }] })).exitCode).toBe(1);
    expect(await world().shell(`cat ${source}/file`)).toBe("old\n");
    expect((await world().run({ ...write, mounts: [{ ...bind, readonly: false }] })).exitCode).toBe(0);
    expect(await world().shell(`cat ${source}/file`)).toBe("new\n");
  });

  test("are bound read-only together with what is mounted below them", async () => {
    const source = await world().layer("mkdir below");
    await world().shell(`mount -t tmpfs none ${source}/below`);
    try {
      const mounts = [{ kind: "bind", source, target: "/b", readonly: true }] as const;
      const { stdout, stderr } = await world().run({ ...sh("ls /b; touch /b/below/file"), mounts });
      expect(stdout).toBe("below\n");
      expect(stderr).toContain("Read-only file system");
    } finally {
      await world().shell(`umount ${source}/below`);
    }
  });

  test("are bound one inside another", async () => {
    const outer = await world().layer("mkdir inner");
    const { stdout } = await world().run({
      ...sh("ls /a/inner /b"),
      mounts: [
        { kind: "bind", source: outer, target: "/a", readonly: true },
        { kind: "bind", source: await world().layer("touch x"), target: "/a/inner", readonly: true },
        { kind: "tmpfs", target: "/b" },
        { kind: "bind", source: await world().layer("touch y"), target: "/b/c", readonly: false },
      ],
    });
    expect(stdout).toBe("/a/inner:\nx\n\n/b:\nc\n");
    expect(await world().list(outer)).toEqual(["d 755 0:0 inner"]);
  });

  test("are on a tmpfs of the size asked for", async () => {
    const mounts = [{ kind: "tmpfs", target: "/big", sizeBytes: 3 * 1024 * 1024 }] as const;
    expect((await world().run({ ...sh("df -k /big | tail -1 | awk '{print $2}'"), mounts })).stdout).toBe(
      "3072\n",
    );
  });

  test("have shared memory of the size asked for", async () => {
    const shm = sh("df -k /dev/shm | tail -1 | awk '{print $2}'");
    expect((await world().run(shm)).stdout).toBe("65536\n");
    expect((await world().run({ ...shm, shmSizeBytes: 12 * 1024 * 1024 })).stdout).toBe("12288\n");
  });

  test("are a whole overlay whose writes stay in its own upper folder", async () => {
    const low = await world().layer("echo low > file");
    const upper = await world().layer();
    const mount = {
      kind: "overlay",
      lower: [low],
      upper,
      work: await world().layer(),
      subpath: "/",
    } as const;
    const { stdout } = await world().run({
      ...sh("echo new > /m/other; cat /m/file"),
      mounts: [{ ...mount, target: "/m", readonly: false }],
    });
    expect(stdout).toBe("low\n");
    expect(await world().list(upper)).toEqual(["f 644 0:0 other"]);
    expect(await world().list(low)).toEqual(["f 644 0:0 file"]);
  });

  test("are a part of an overlay, a folder or a file, several of them", async () => {
    const below = await world().layer("mkdir -p a/b; echo below > a/b/file; echo gone > a/b/gone");
    const above = await world().layer("mkdir -p a/b; echo above > a/b/more");
    const overlay = async (subpath: string, target: string, readonly: boolean): Promise<SandboxMount> => ({
      kind: "overlay",
      lower: [above, below],
      upper: await world().layer(),
      work: await world().layer(),
      ...{ subpath, target, readonly },
    });
    const upper = await world().layer();
    const { stdout, exitCode } = await world().run({
      ...sh(
        "ls /one; cat /two; rm /one/gone && echo x > /one/new; ls /one; echo y > /two; ls /sys | grep -c class",
      ),
      upper,
      mounts: [await overlay("/a/b", "/one", false), await overlay("/a/b/file", "/two", true)],
    });
    expect({ stdout, exitCode }).toEqual({
      stdout: "file\ngone\nmore\nbelow\nfile\nmore\nnew\n1\n",
      exitCode: 0,
    });
    expect(await world().list(upper)).toEqual([]);
  });

  test("come through symlinks in an overlay's part only from inside of it", async () => {
    const layer = await world().layer("mkdir -p real/etc; echo mine > real/etc/passwd; ln -s /real/etc link");
    const overlay = async (subpath: string): Promise<SandboxMount> => ({
      kind: "overlay",
      lower: [layer],
      upper: await world().layer(),
      work: await world().layer(),
      ...{ subpath, target: "/m", readonly: false },
    });
    const { stdout } = await world().run({ ...sh("cat /m/passwd"), mounts: [await overlay("/link")] });
    expect(stdout).toBe("mine\n");
    await expect(world().run({ mounts: [await overlay("/missing")] })).rejects.toMatchObject({
      code: "RUNTIME_FAILED",
      message: 'Cannot mount "/m": its source has no "/missing" (no such file or directory)',
    });
    expect(world().leftovers()).toEqual([]);
  });

  test("are mounted below /dev and /sys as well", async () => {
    const { stdout } = await world().run({
      ...sh("ls /dev/mine /sys/kernel"),
      mounts: [
        { kind: "bind", source: await world().layer("touch a"), target: "/dev/mine", readonly: true },
        { kind: "bind", source: await world().layer("touch b"), target: "/sys/kernel", readonly: true },
      ],
    });
    expect(stdout).toBe("/dev/mine:\na\n\n/sys/kernel:\nb\n");
  });
});
