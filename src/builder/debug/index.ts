export { type EnterCommand, type EnterOptions, enterFailedStep, missingSecrets } from "./enter-step.ts";
export { decodeFailedStep, type FailedStep } from "./failed-step.ts";
