import { describe, expect, test } from "vitest";
import { parseCgroupFacts } from "../../../src/runner/host/cgroup-facts.ts";

const UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
53 44 0:37 / /elsewhere/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
`;

const parse = (mountinfo: string, membership: string, isWritable = () => true) =>
  parseCgroupFacts({ mountinfo, membership, isWritable });

describe("parseCgroupFacts()", () => {
  test("puts containers below our own group of version 2", () => {
    expect(parse(UNIFIED, "0::/user.slice/job.scope\n")).toEqual({
      folders: ["/sys/fs/cgroup/user.slice/job.scope"],
      isMounted: true,
      parent: "/user.slice/job.scope",
    });
  });

  test("leaves it to the runtime where our own group can't be written to", () => {
    expect(parse(UNIFIED, "0::/job\n", () => false)).toEqual({
      folders: ["/sys/fs/cgroup/job"],
      isMounted: true,
      parent: undefined,
    });
  });

  test("knows our groups of version 1 and leaves it to the runtime to put containers below them", () => {
    const membership = "9:name=systemd:/\n4:memory:/limited/job\n3:cpu,cpuacct:/c\n0::/u\n";
    expect(parse(HYBRID, membership)).toEqual({
      folders: [
        "/sys/fs/cgroup/memory/limited/job",
        "/sys/fs/cgroup/cpu,cpuacct/c",
        "/sys/fs/cgroup/systemd",
        "/sys/fs/cgroup/unified/u",
      ],
      isMounted: true,
      parent: undefined,
    });
  });

  test("takes account of a mount that shows only a part, as containers have it", () => {
    const part = "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
    expect(parse(part, "0::/docker/abc\n").folders).toEqual(["/sys/fs/cgroup"]);
    expect(parse(part, "0::/docker/abc/inner\n").folders).toEqual(["/sys/fs/cgroup/inner"]);
    expect(parse(part, "0::/other\n").folders).toEqual([]);
  });

  test("says when there are none", () => {
    expect(parse("22 1 0:21 / /proc rw - proc proc rw\n", "0::/\n")).toEqual({
      folders: [],
      isMounted: false,
      parent: undefined,
    });
  });
});
