export { runStep, type StepOptions } from "../run-step.ts";
export { layerBlobs, originsOf } from "../sources/layer-blobs.ts";
export { readKnownFrom } from "./known-documents.ts";
export { pushRecord } from "./push-record.ts";
export { pushWhileCompressing } from "./push-while-compressing.ts";
export { createRegistryImages, type RegistryImagesOptions } from "./registry-images.ts";
export { reportTransfer } from "./transfer-events.ts";
