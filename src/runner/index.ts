export { RunnerError, type RunnerErrorCode } from "./error.ts";
export { createRuncSandbox, type RuncSandboxOptions } from "./runc-sandbox.ts";
export type {
  NetworkMode,
  Sandbox,
  SandboxMount,
  SandboxResult,
  SandboxRunOptions,
  SandboxSpec,
} from "./types.ts";
