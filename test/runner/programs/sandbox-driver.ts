/**
 * Runs sandboxes for a test in a process of its own, so that the same test can be root or an ordinary user in its
 * namespace, and so that the process can be killed. Requests and answers are lines of JSON.
 */
import { spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { createRuncSandbox, RunnerError, type SandboxSpec } from "../../../src/runner/index.ts";

export type DriverRequest =
  | { readonly op: "run"; readonly id: number; readonly spec: SandboxSpec }
  | { readonly op: "abort"; readonly id: number }
  /** A script of the host's shell, as who we are here. */
  | { readonly op: "shell"; readonly id: number; readonly script: string };

export type DriverAnswer =
  | { readonly event: "output"; readonly id: number; readonly stream: string; readonly base64: string }
  | { readonly event: "end"; readonly id: number; readonly exitCode: number; readonly stdout?: string }
  | { readonly event: "error"; readonly id: number; readonly code: string; readonly message: string };

const [tempDir = "", searchPath = process.env["PATH"] ?? ""] = process.argv.slice(2);
const sandbox = createRuncSandbox({ tempDir, searchPath });
const aborts = new Map<number, AbortController>();

function answer(message: DriverAnswer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function run(id: number, spec: SandboxSpec): Promise<void> {
  const controller = new AbortController();
  aborts.set(id, controller);
  try {
    const { exitCode } = await sandbox.run(spec, {
      signal: controller.signal,
      onOutput: (stream, chunk) =>
        answer({ event: "output", id, stream, base64: Buffer.from(chunk).toString("base64") }),
    });
    answer({ event: "end", id, exitCode });
  } catch (error) {
    const code = error instanceof RunnerError ? error.code : "OTHER";
    answer({ event: "error", id, code, message: error instanceof Error ? error.message : String(error) });
  } finally {
    aborts.delete(id);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as DriverRequest;
  switch (request.op) {
    case "run":
      void run(request.id, request.spec);
      break;
    case "abort":
      aborts.get(request.id)?.abort(new Error("stopped by the test"));
      break;
    case "shell": {
      const { status, stdout, stderr } = spawnSync("/bin/sh", ["-ec", request.script], { encoding: "utf8" });
      answer({ event: "end", id: request.id, exitCode: status ?? -1, stdout: stdout + stderr });
      break;
    }
    default:
      request satisfies never;
  }
}
