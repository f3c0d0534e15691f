import { describe, expect, test } from "vitest";
import type { UserNamespaceFacts } from "../../../src/runner/userns/facts.ts";
import { createIdMap, parseSubordinateIds } from "../../../src/runner/userns/id-map.ts";
import { findOuterUid } from "../../../src/runner/userns/marker.ts";
import { explainRefusal, planUserNamespace } from "../../../src/runner/userns/plan.ts";

const INITIAL = "         0          0 4294967295\n";

const FACTS: UserNamespaceFacts = {
  uid: 1000,
  gid: 100,
  userName: "ann",
  subuid: "root:1:2\nann:100000:65536\n",
  subgid: "ann:200000:65536\n",
  uidMap: INITIAL,
  noNewPrivileges: false,
  sysctls: new Map([["user.max_user_namespaces", "96365"]]),
  programs: new Map(
    ["unshare", "setpriv", "newuidmap", "newgidmap"].map((name) => [name, `/usr/bin/${name}`] as const),
  ),
};

const without = (...names: readonly string[]): ReadonlyMap<string, string> =>
  new Map([...FACTS.programs].filter(([name]) => !names.includes(name)));

describe("planUserNamespace()", () => {
  test("maps root to the user, and the ids after it to the user's subordinate ids", () => {
    expect(planUserNamespace(FACTS)).toEqual({
      kind: "plan",
      uidMap: [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1, outside: 100_000, count: 65_536 },
      ],
      gidMap: [
        { inside: 0, outside: 100, count: 1 },
        { inside: 1, outside: 200_000, count: 65_536 },
      ],
      unshare: "/usr/bin/unshare",
      setpriv: "/usr/bin/setpriv",
      newuidmap: "/usr/bin/newuidmap",
      newgidmap: "/usr/bin/newgidmap",
    });
  });

  test("has nothing to do for root", () => {
    expect(planUserNamespace({ ...FACTS, uid: 0 })).toEqual({ kind: "not-needed" });
    const nested = "0 1000 1\n1 100000 65536\n";
    expect(planUserNamespace({ ...FACTS, uid: 0, uidMap: nested })).toEqual({ kind: "not-needed" });
  });

  test.each<[title: string, change: Partial<UserNamespaceFacts>, reason: string, cure: string]>([
    [
      "root of a single id",
      { uid: 0, uidMap: "0 1000 1\n" },
      "this user namespace has a single user id",
      "Start strake as the ordinary user",
    ],
    [
      "no uidmap package",
      { programs: without("newuidmap", "newgidmap") },
      "there is no newuidmap",
      "apt-get install uidmap",
    ],
    [
      "no newgidmap alone",
      { programs: without("newgidmap") },
      "there is no newuidmap or newgidmap",
      "apt-get install uidmap",
    ],
    ["no unshare", { programs: without("unshare") }, "there is no unshare", "apt-get install util-linux"],
    [
      "no line in /etc/subuid",
      { subuid: "bob:1:2\n" },
      'the user "ann" has no subordinate ids in /etc/subuid',
      "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann",
    ],
    [
      "no line in /etc/subgid",
      { subgid: "" },
      'the user "ann" has no subordinate ids in /etc/subgid',
      "sudo usermod",
    ],
    [
      "a user without a name",
      { userName: undefined },
      'the user "1000" has no subordinate ids',
      "echo 1000:100000:65536",
    ],
    [
      "namespaces only for root",
      { sysctls: new Map([["kernel.unprivileged_userns_clone", "0"]]) },
      "ordinary users may not",
      "sysctl -w kernel.unprivileged_userns_clone=1",
    ],
    [
      "no namespaces at all",
      { sysctls: new Map([["user.max_user_namespaces", "0"]]) },
      "switched off",
      "sysctl -w user.max_user_namespaces=28633",
    ],
    ["no new privileges", { noNewPrivileges: true }, "no_new_privs", "allowPrivilegeEscalation: true"],
  ])("says what is wrong and how to cure it: %s", (_, change, reason, cure) => {
    expect(planUserNamespace({ ...FACTS, ...change })).toEqual({
      kind: "problem",
      reason: expect.stringContaining(reason),
      cure: expect.stringContaining(cure),
    });
  });
});

describe("explainRefusal()", () => {
  test("suspects AppArmor where it restricts user namespaces", () => {
    const sysctls = new Map([["kernel.apparmor_restrict_unprivileged_userns", "1"]]);
    expect(explainRefusal({ ...FACTS, sysctls }, "unshare: unshare failed: Permission denied\n")).toEqual({
      kind: "problem",
      reason: "unshare: unshare failed: Permission denied",
      cure: expect.stringContaining("kernel.apparmor_restrict_unprivileged_userns=0"),
    });
  });

  test("suspects the helpers when they complain, and a surrounding container otherwise", () => {
    expect(explainRefusal(FACTS, "newuidmap: write to uid_map failed").cure).toContain("set-user-ID");
    expect(explainRefusal(FACTS, "").cure).toContain("Inside a container");
  });
});

describe("parseSubordinateIds()", () => {
  test("takes all ranges of a user, by name and by number", () => {
    const text = "ann:1:10\nbob:5:5\n1000:50:5\nann:bad:10\n#ann:1:1\nann:7:0\n";
    expect(parseSubordinateIds(text, { name: "ann", id: 1000 })).toEqual([
      { first: 1, count: 10 },
      { first: 50, count: 5 },
    ]);
  });

  test("joins ranges without a gap", () => {
    expect(
      createIdMap(9, [
        { first: 100, count: 5 },
        { first: 300, count: 7 },
      ]).map(({ inside }) => inside),
    ).toEqual([0, 1, 6]);
  });
});

describe("findOuterUid()", () => {
  test.each([
    ["inside", "1000", "0 1000 1\n1 100000 65536\n", 1000],
    ["no marker", undefined, "0 1000 1\n", undefined],
    ["root of the machine with a marker that came along", "1000", INITIAL, undefined],
    ["another namespace", "1000", "0 1001 1\n", undefined],
    ["no root in the namespace", "1000", "1000 1000 1\n", undefined],
  ])("knows where we are: %s", (_, marker, uidMap, expected) => {
    expect(findOuterUid({ marker, uidMap })).toBe(expected);
  });
});
