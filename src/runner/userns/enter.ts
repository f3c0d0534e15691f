import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { RunnerError } from "../error.ts";
import { type ProcessEnd, startProcess, waitForEnd } from "../process/start-process.ts";
import type { UserNamespaceFacts } from "./facts.ts";
import { forwardSignals } from "./forward-signals.ts";
import { collectText, nextByte, release } from "./handshake.ts";
import type { IdRange } from "./id-map.ts";
import { OUTER_UID_VARIABLE } from "./marker.ts";
import { explainRefusal, planUserNamespace, type UserNamespacePlan } from "./plan.ts";

export interface EnterUserNamespaceOptions {
  readonly facts: UserNamespaceFacts;
  /** The program to run inside, an absolute path: `process.execPath` to run ourselves. */
  readonly execPath: string;
  /** Its arguments. */
  readonly argv: readonly string[];
  /** Its environment, to which the marker is added. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a program as root of a user namespace with the user's subordinate ids, and of a mount namespace, with our own
 * standard streams. Resolves to its exit code, or 128 + n when signal n ended it. Signals to us are passed on, and the
 * program dies with us even by SIGKILL.
 * @throws {RunnerError} USER_NAMESPACE_UNAVAILABLE, whose hint is the cure
 */
export async function enterUserNamespace(options: EnterUserNamespaceOptions): Promise<number> {
  const { facts } = options;
  const answer = planUserNamespace(facts);
  switch (answer.kind) {
    case "problem":
      throw unavailable(answer.reason, answer.cure);
    case "not-needed":
      throw new TypeError("enterUserNamespace: already root, there is nothing to enter");
    case "plan":
      break;
    default:
      return answer satisfies never;
  }
  const child = startProcess(namespaceCommand(answer, options), {
    env: { ...options.env, [OUTER_UID_VARIABLE]: String(facts.uid) },
    // 2 carries unshare's own complaints to us; the program gets our stderr, which waits as 4.
    stdio: ["inherit", "inherit", "pipe", "pipe", 2],
    ownSession: true,
  });
  const ended = waitForEnd(child);
  const complaints = collectText(child.stderr);
  using _signals = forwardSignals(child);
  try {
    const isWaiting = await Promise.race([nextByte(child.stdio[3]), ended.then(() => false)]);
    if (!isWaiting) throw refused(facts, await complaints);
    await mapIds(answer, child, facts);
    release(child.stdio[3]);
  } catch (error) {
    child.kill("SIGKILL");
    await ended.catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  return toExitCode(await ended);
}

/**
 * unshare makes the namespaces and becomes a shell, which reports and waits, because ids can only be mapped from
 * outside. Only then comes the exec by which root's rights are gained; those rights clear a death signal, so it is
 * set after them.
 */
function namespaceCommand(plan: UserNamespacePlan, options: EnterUserNamespaceOptions): readonly string[] {
  const script = 'exec 2>&4 4>&-; echo >&3; read -r _ <&3 || exit 1; exec 3>&-; exec "$@"';
  return [
    ...[plan.unshare, "--user", "--mount", "--", "/bin/sh", "-c", script, "sh"],
    ...[plan.setpriv, "--pdeathsig", "KILL", "--", options.execPath, ...options.argv],
  ];
}

async function mapIds(
  plan: UserNamespacePlan,
  child: ChildProcess,
  facts: UserNamespaceFacts,
): Promise<void> {
  const maps: readonly (readonly [program: string, map: readonly IdRange[]])[] = [
    [plan.newuidmap, plan.uidMap],
    [plan.newgidmap, plan.gidMap],
  ];
  for (const [program, map] of maps) {
    const numbers = map.flatMap(({ inside, outside, count }) => [inside, outside, count]);
    const helper = startProcess([program, ...[child.pid ?? 0, ...numbers].map(String)], {
      env: {},
      stdio: ["ignore", "ignore", "pipe"],
    });
    const complaints = collectText(helper.stderr);
    const { exitCode } = await waitForEnd(helper);
    if (exitCode !== 0) throw refused(facts, await complaints);
  }
}

function refused(facts: UserNamespaceFacts, message: string): RunnerError {
  const { reason, cure } = explainRefusal(facts, message);
  return unavailable(reason, cure);
}

function unavailable(reason: string, cure: string): RunnerError {
  return new RunnerError("USER_NAMESPACE_UNAVAILABLE", `Cannot enter a user namespace: ${reason}`, {
    hint: cure,
  });
}

function toExitCode({ exitCode, signal }: ProcessEnd): number {
  if (exitCode !== null) return exitCode;
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}
