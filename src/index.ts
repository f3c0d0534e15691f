/**
 * The library: what the `strake` command is made of.
 *
 * @packageDocumentation
 */
export { type ErrorDetails, StrakeError } from "./errors.ts";
export type { OnEvent, ProgressEvent } from "./builder/events.ts";
export type { BuildOptions, BuildResult, ContextSource, OutputSpec, SecretSource } from "./builder/types.ts";
export type { SourceSpan } from "./util/span.ts";
