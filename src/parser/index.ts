export type {
  BlankLine,
  ByteOrderMark,
  CommentLine,
  DirectiveLine,
  DockerfileAst,
  EscapeCharacter,
  HeredocNode,
  InstructionNode,
  Item,
  Token,
  TokenPart,
} from "./ast.ts";
export { excerpt } from "./diagnostics/excerpt.ts";
export { formatDiagnostic, type Reportable } from "./diagnostics/format-diagnostic.ts";
export {
  type Dockerfile,
  type ParsedNodes,
  type ParseOptions,
  parseDockerfile,
  parseNodes,
  parseOnbuildTrigger,
  typeNodes,
} from "./dockerfile.ts";
export { DockerfileError, type DockerfileErrorCode, type DockerfileErrorDetails } from "./error.ts";
export {
  type Environment,
  type ExpandOptions,
  type Expansion,
  type ExpansionAttempt,
  expandWord,
  splitWords,
  tryExpandWord,
} from "./expand/expand-word.ts";
export { createIgnore, type Ignore, type IgnoreLevel, type IgnoreVisit } from "./ignore/create-ignore.ts";
export { type IgnorePattern, parseIgnorefile, parseIgnoreLines } from "./ignore/parse-ignorefile.ts";
export type { AddInstruction } from "./instructions/add.ts";
export type { ArgDefinition, ArgInstruction } from "./instructions/arg.ts";
export type { InstructionBase } from "./instructions/base.ts";
export type { CmdInstruction } from "./instructions/cmd.ts";
export type { CommandForm, InlineFile } from "./instructions/command.ts";
export type { CopyInstruction } from "./instructions/copy.ts";
export type { EntrypointInstruction } from "./instructions/entrypoint.ts";
export type { EnvInstruction } from "./instructions/env.ts";
export type { ExposeInstruction } from "./instructions/expose.ts";
export type { FromInstruction } from "./instructions/from.ts";
export type { HealthcheckInstruction } from "./instructions/healthcheck.ts";
export type { Instruction } from "./instructions/index.ts";
export type { LabelInstruction } from "./instructions/label.ts";
export type { MaintainerInstruction } from "./instructions/maintainer.ts";
export type { OnbuildInstruction } from "./instructions/onbuild.ts";
export type { CopyPaths, InlineSource } from "./instructions/paths.ts";
export {
  type RunInstruction,
  type RunNetwork,
  type RunSecurity,
  runMountSources,
} from "./instructions/run.ts";
export type { RunDevice } from "./instructions/run-device.ts";
export {
  type CacheSharing,
  type MountType,
  parseRunMounts,
  type RunMount,
} from "./instructions/run-mount.ts";
export type { KeyValue } from "./instructions/settings.ts";
export type { ShellInstruction } from "./instructions/shell.ts";
export type { StopsignalInstruction } from "./instructions/stopsignal.ts";
export type { UserInstruction } from "./instructions/user.ts";
export type { VolumeInstruction } from "./instructions/volume.ts";
export type { WorkdirInstruction } from "./instructions/workdir.ts";
export { instructionLeaves, type Leaf, leavesOf, printDockerfile } from "./leaves.ts";
export type { BuildCheck } from "./lint/build-check.ts";
export { buildChecks } from "./lint/build-checks.ts";
export type { Diagnostic } from "./lint/diagnostic.ts";
export type { BaseImage } from "./lint/dry-run/dry-run.ts";
export { type CheckResult, checkDockerfile, checkParsed, lint } from "./lint/index.ts";
export type { LintOptions, NameValues } from "./lint/lint-options.ts";
export { type Range, Source } from "./source.ts";
export type { Stage } from "./stage.ts";
export type { FileDirective } from "./syntax/detect-syntax.ts";
export type { ParseWarning } from "./syntax/read-file.ts";
export { decodeUtf8, encodeUtf8 } from "./text/utf8.ts";
