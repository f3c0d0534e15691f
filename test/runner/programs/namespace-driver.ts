/** Enters a user namespace and runs a program there: `namespace-driver PROGRAM ARGUMENTS…`. */
import { enterUserNamespace, RunnerError, readUserNamespaceFacts } from "../../../src/runner/index.ts";

const [execPath = "", ...argv] = process.argv.slice(2);
try {
  const facts = readUserNamespaceFacts(process.env["PATH"] ?? "");
  process.exitCode = await enterUserNamespace({ facts, execPath, argv, env: process.env });
} catch (error) {
  if (!(error instanceof RunnerError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint}\n`);
  process.exitCode = 99;
}
