import type { EditedTree, ImageChange } from "../../builder/edit/index.ts";
import { type FetchedDocument, formatPlatform } from "../../oci/index.ts";
import { oneLine } from "../text.ts";
import { type Difference, diffDocuments } from "./diff-documents.ts";

/** An edited image in `--json`. */
export interface ShownChange {
  readonly platform: string;
  readonly before: string;
  readonly after: string;
  readonly imageIdBefore: string;
  readonly imageIdAfter: string;
}

export function shownChange({ platform, before, after }: ImageChange): ShownChange {
  return {
    platform: formatPlatform(platform),
    before: before.descriptor.digest,
    after: after.descriptor.digest,
    imageIdBefore: before.manifest.config.digest,
    imageIdAfter: after.manifest.config.digest,
  };
}

/** What is different in the documents of an image: in its config, and in its manifest but for the config's digest. */
export function differencesOf(change: ImageChange): readonly Difference[] {
  const { before, after, configBefore, configAfter } = change;
  const { config: _old, ...manifestBefore } = before.manifest;
  const { config: _new, ...manifestAfter } = after.manifest;
  return [
    ...diffDocuments(parse(configBefore), parse(configAfter)),
    ...diffDocuments(manifestBefore, manifestAfter, "manifest"),
  ];
}

/** What is different in an index, but for the digests of its images. */
export function indexDifferences(before: FetchedDocument, after: FetchedDocument): readonly Difference[] {
  if (before.kind !== "index" || after.kind !== "index") return [];
  const bare = ({ index }: typeof before) => ({
    ...index,
    manifests: index.manifests.map(({ digest: _digest, size: _size, ...entry }) => entry),
  });
  return diffDocuments(bare(before), bare(after), "index");
}

/** A line for each value: `-` what is gone, `+` what is new. */
export function differenceLines(differences: readonly Difference[]): readonly string[] {
  return differences.flatMap((each) => [
    ...(each.before === undefined ? [] : [oneLine(`- ${each.path} ${JSON.stringify(each.before)}`)]),
    ...(each.after === undefined ? [] : [oneLine(`+ ${each.path} ${JSON.stringify(each.after)}`)]),
  ]);
}

/** A line for each image, and for what was lost. */
export function summaryLines(before: FetchedDocument, edited: EditedTree): readonly string[] {
  const { tree, changes, droppedAttestations } = edited;
  const isIndex = before.kind === "index";
  return [
    ...changes.map(
      ({ platform, before: old, after }) =>
        `${formatPlatform(platform)}: ${becomes(old.descriptor.digest, after.descriptor.digest)}`,
    ),
    ...(isIndex ? [`index: ${becomes(before.descriptor.digest, tree.root.descriptor.digest)}`] : []),
    ...droppedLine(droppedAttestations),
  ];
}

function becomes(before: string, after: string): string {
  return before === after ? `${before}, as before` : `${before} → ${after}`;
}

function droppedLine(count: number): readonly string[] {
  if (count === 0) return [];
  return [
    `${count} ${count === 1 ? "attestation" : "attestations"} left out: made for what was there before`,
  ];
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}
