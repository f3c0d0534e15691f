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
export { type EnterUserNamespaceOptions, enterUserNamespace } from "./userns/enter.ts";
export { readUserNamespaceFacts, type UserNamespaceFacts } from "./userns/facts.ts";
export { findOuterUid, OUTER_UID_VARIABLE } from "./userns/marker.ts";
export {
  planUserNamespace,
  type UserNamespaceAnswer,
  type UserNamespacePlan,
  type UserNamespaceProblem,
} from "./userns/plan.ts";
