import { readFileSync } from "node:fs";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { isObject } from "../../util/is-object.ts";
import { diskFault, isErrno } from "../disk/disk-fault.ts";

/**
 * What `snapshots/<hex>/layer.json` holds. A form is there only if the record says so: a folder or file that the
 * record does not name was left by a killed process.
 */
export interface LayerRecord {
  readonly diffId: Digest;
  readonly tarSize?: number;
  readonly treeId?: Digest;
  /** Blobs known to be this layer, the preferred one first; their bytes may not be here. */
  readonly blobs: readonly KnownBlob[];
  readonly snapshot?: SnapshotForm;
  readonly tar?: FormState;
  /** Snapshots for the layer on top of certain others, by folder name: where its own does not serve; see `stack.ts`. */
  readonly variants?: Readonly<Record<string, FormState>>;
}

export interface KnownBlob {
  readonly descriptor: Descriptor;
  readonly origins: readonly string[];
  /** Compression level, for blobs made here. */
  readonly level?: number;
}

/** Whether a form's bytes may be relied on. */
export interface FormState {
  /**
   * The run of the kernel in which the form was written without waiting for the disk: in a later one its bytes have
   * to be checked before use. Absent once they are known to be on the disk.
   */
  readonly writtenInBoot?: string;
}

export interface SnapshotForm extends FormState {
  /** Only what was built here is known to pack into the very tar that the diffID names. */
  readonly madeBy: "build" | "unpacking";
  /** Folders (bytes as latin1) that hold entries of the layer without being one: how they look is the lower layers' say. */
  readonly impliedFolders?: readonly string[];
}

/**
 * Reads a record; undefined when there is none or it can't be understood (which, after a crash, is the same).
 * Synchronous: it is one small file in the page cache, and a cached rebuild reads some dozens of them.
 * @throws {StoreError} STORE_NOT_WRITABLE, DISK_FAILED
 */
export function readLayerRecord(folder: string, diffId: Digest): LayerRecord | undefined {
  const path = `${folder}/layer.json`;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw diskFault(`read what is known of layer "${diffId}"`, path, error);
  }
  const record = decodeLayerRecord(text);
  return record?.diffId === diffId ? record : undefined;
}

export function encodeLayerRecord(record: LayerRecord): string {
  return `${JSON.stringify(record, null, 1)}\n`;
}

function decodeLayerRecord(text: string): LayerRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !isDigestText(value["diffId"]) || !Array.isArray(value["blobs"])) return undefined;
  const { diffId, tarSize, treeId, snapshot, tar, variants } = value;
  return {
    diffId,
    ...(isSize(tarSize) ? { tarSize } : {}),
    ...(isDigestText(treeId) ? { treeId } : {}),
    blobs: value["blobs"].filter(isKnownBlob),
    ...(isSnapshotForm(snapshot) ? { snapshot } : {}),
    ...(isFormState(tar) ? { tar } : {}),
    ...(isObject(variants) ? { variants: onlyForms(variants) } : {}),
  };
}

function isKnownBlob(value: unknown): value is KnownBlob {
  if (!isObject(value) || !isObject(value["descriptor"]) || !Array.isArray(value["origins"])) return false;
  const { mediaType, digest, size } = value["descriptor"];
  return (
    typeof mediaType === "string" &&
    isDigestText(digest) &&
    isSize(size) &&
    value["origins"].every((origin) => typeof origin === "string") &&
    (value["level"] === undefined || typeof value["level"] === "number")
  );
}

function isSnapshotForm(value: unknown): value is SnapshotForm {
  if (!isFormState(value)) return false;
  const { madeBy, impliedFolders } = value as { madeBy?: unknown; impliedFolders?: unknown };
  if (impliedFolders !== undefined && !Array.isArray(impliedFolders)) return false;
  return madeBy === "build" || madeBy === "unpacking";
}

/** Whether a record has a form that is not known to be on the disk though written in this run of the kernel. */
export function isUnsettled(record: LayerRecord, bootId: string): boolean {
  return record.snapshot?.writtenInBoot === bootId || record.tar?.writtenInBoot === bootId;
}

function onlyForms(value: Record<string, unknown>): Readonly<Record<string, FormState>> {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, FormState] => isFormState(entry[1])),
  );
}

function isFormState(value: unknown): value is FormState {
  return (
    isObject(value) && (value["writtenInBoot"] === undefined || typeof value["writtenInBoot"] === "string")
  );
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === "string" && isDigest(value);
}
