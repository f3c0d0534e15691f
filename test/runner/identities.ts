import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { planUserNamespace, readUserNamespaceFacts } from "../../src/runner/index.ts";

/** As whom a test runs sandboxes. */
export interface Identity extends Disposable {
  /** Program and first arguments by which a command is run as that user; empty: as we are. */
  readonly prefix: readonly string[];
  /** The user's numbers, for files that it must own. */
  readonly uid: number;
  readonly gid: number;
  readonly entersNamespace: boolean;
}

const NOBODY_ELSE = { prefix: [], [Symbol.dispose]: () => undefined };

export interface Candidate {
  readonly title: string;
  /** Why it can't be had here. */
  readonly problem: string | undefined;
  become(): Identity;
}

/** Ourselves as root, and an ordinary user: ourselves or, for root, one made for the purpose. */
export const CANDIDATES: readonly Candidate[] = [
  {
    title: "as root",
    problem: isRoot() ? undefined : "needs root",
    become: () => ({ ...NOBODY_ELSE, uid: 0, gid: 0, entersNamespace: false }),
  },
  {
    title: "as an ordinary user",
    problem: isRoot() ? findMissingProgram() : findNamespaceProblem(),
    become: () =>
      isRoot()
        ? makeUser()
        : {
            ...NOBODY_ELSE,
            uid: process.getuid?.() ?? 0,
            gid: process.getgid?.() ?? 0,
            entersNamespace: true,
          },
  },
];

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function findNamespaceProblem(): string | undefined {
  const answer = planUserNamespace(readUserNamespaceFacts(process.env["PATH"] ?? ""));
  return answer.kind === "problem" ? `${answer.reason}; ${answer.cure}` : undefined;
}

function findMissingProgram(): string | undefined {
  const missing = ["useradd", "usermod", "userdel", "setpriv", "newuidmap"].find(
    (name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0,
  );
  return missing === undefined ? undefined : `needs ${missing}`;
}

function makeUser(): Identity {
  const name = `strake-${randomBytes(4).toString("hex")}`;
  execFileSync("useradd", ["--no-create-home", "--home-dir", "/nonexistent", name]);
  const id = (flag: string): number => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  const [uid, gid] = [id("-u"), id("-g")];
  const identity = {
    // Unlike runuser it becomes the program, so that killing the process that was started kills that.
    prefix: ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"],
    uid,
    gid,
    entersNamespace: true,
    [Symbol.dispose]: () => execFileSync("userdel", ["--force", name], { stdio: "ignore" }),
  };
  // Debian's useradd gives ranges by itself; elsewhere it may not.
  const ranges = ["--add-subuids", "2000000-2065535", "--add-subgids", "2000000-2065535"];
  if (!execFileSync("cat", ["/etc/subuid"], { encoding: "utf8" }).includes(`${name}:`))
    execFileSync("usermod", [...ranges, name]);
  return identity;
}
