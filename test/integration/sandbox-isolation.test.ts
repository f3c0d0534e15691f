import { expect, test } from "vitest";
import { describeForEveryone } from "../runner/for-everyone.ts";
import { sh } from "../runner/sandbox-world.ts";

describeForEveryone("what a sandbox keeps a command from", (world, isRoot) => {
  test("leaves root Docker's capabilities, and other users none", async () => {
    const status = sh(
      "grep -e CapPrm -e CapEff -e CapBnd -e CapAmb /proc/self/status; grep NoNew /proc/self/status",
    );
    expect((await world().run(status)).stdout).toBe(
      "CapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\n",
    );
    expect((await world().run({ ...status, uid: 5 })).stdout).toBe(
      "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\n",
    );
  });

  test("lets set-user-ID programs work", async () => {
    // BusyBox gives up what it does not need; su needs it, and asks for no password that is empty.
    const layer = await world().layer(
      "mkdir bin etc; cp /bin/busybox bin/su; chmod 4755 bin/su; echo root::0:0::/: > etc/passwd",
    );
    const { stdout } = await world().run({
      argv: ["su", "-c", "id -u"],
      uid: 1000,
      lower: [layer, world().base],
    });
    expect(stdout).toBe("0\n");
  });

  test("filters system calls", async () => {
    const { stdout } = await world().run(
      sh("grep ^Seccomp: /proc/self/status; unshare -m true; mount -t tmpfs none /tmp; echo $?"),
    );
    expect(stdout).toBe("Seccomp:\t2\n1\n");
  });

  test("shows processes of its own only", async () => {
    const [shell, count] = (await world().run(sh("echo $$; ls /proc | grep -c '^[0-9]'"))).stdout.split("\n");
    expect(shell).toBe("1");
    expect(Number(count)).toBeLessThanOrEqual(4);
  });

  test("hides and protects what is the machine's in /proc and /sys", async () => {
    const { stdout } = await world().run(
      sh(
        "wc -c < /proc/timer_list; ls -A /sys/firmware | wc -l; echo 1 2>/dev/null > /proc/sysrq-trigger || echo no;" +
          "echo x 2>/dev/null > /proc/sys/kernel/hostname || echo no; mkdir /sys/fs/cgroup/new 2>/dev/null || echo no",
      ),
    );
    expect(stdout.split("\n").slice(0, 4)).toEqual(["0", "0", "no", "no"]);
  });

  test("gives a network of its own, with nothing but a loopback, when there is to be none", async () => {
    const network = sh("ls /sys/class/net; ip addr show lo | grep -c 127.0.0.1; wc -l < /proc/net/route");
    expect((await world().run({ ...network, network: "none" })).stdout).toBe("lo\n1\n1\n");
  });

  test("shares the host's network otherwise", async () => {
    const { stdout } = await world().run(sh("readlink /proc/self/ns/net"));
    expect(stdout).toBe(await world().shell("readlink /proc/self/ns/net"));
  });

  test("never raises a limit above our own, and bounds the number of open files", async () => {
    const limits = sh("ulimit -Hn; ulimit -Sn");
    const own = Number(await world().shell("ulimit -Hn"));
    const [hard, soft] = (await world().run(limits)).stdout.split("\n").map(Number);
    expect(hard).toBe(Math.min(own, 1_048_576));
    expect(soft).toBe(hard);
    const ulimits = [{ name: "nofile", soft: 100, hard: 200 }];
    expect((await world().run({ ...limits, ulimits })).stdout).toBe("200\n100\n");
    const unlimited = [{ name: "core", soft: 0, hard: -1 }];
    expect((await world().run({ ...sh("ulimit -Sc"), ulimits: unlimited })).stdout).toBe("0\n");
  });

  test.skipIf(!isRoot)("lets nobody use a device that it made", async () => {
    const kmsg = "mknod /tmp/kmsg c 1 11 && dd if=/tmp/kmsg of=/dev/null bs=8192 count=1 2>&1";
    expect((await world().run(sh(kmsg))).stdout).toContain("Operation not permitted");
    const harmless = await world().run(sh("mknod /tmp/null c 1 3 && echo x > /tmp/null && echo fine"));
    expect(harmless.stdout).toBe("fine\n");
  });

  test("gives an insecure command all that we have", async () => {
    const { stdout } = await world().run({
      ...sh(
        "grep CapEff /proc/self/status; grep ^Seccomp: /proc/self/status; mount -t tmpfs none /tmp && echo mounted;" +
          "grep -c . /proc/timer_list",
      ),
      insecure: true,
    });
    const [capabilities, seccomp, mounted] = stdout.split("\n");
    expect(capabilities).toBe(
      (await world().shell("grep CapBnd /proc/self/status")).trim().replace("CapBnd", "CapEff"),
    );
    expect([seccomp, mounted]).toEqual(["Seccomp:\t0", "mounted"]);
  });
});
