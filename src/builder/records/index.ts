export type { BuildRecord, BuildStatus, BuildSubject, StepRecord } from "./build-record.ts";
export { type BuildEnd, BuildRecorder, type RecorderOptions } from "./build-recorder.ts";
export {
  isPruningDue,
  type PruneOptions,
  pruneRecords,
  type RecordLimits,
} from "./prune-records.ts";
export { findBuilds, listBuilds, readSteps } from "./read-records.ts";
export { RecordPaths } from "./record-paths.ts";
