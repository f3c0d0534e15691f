import type { EditedTree } from "../../builder/edit/index.ts";
import type { FetchedDocument } from "../../oci/index.ts";
import type { PushedImage } from "../../registry/index.ts";
import type { CommandContext } from "../command.ts";
import {
  differenceLines,
  differencesOf,
  indexDifferences,
  shownChange,
  summaryLines,
} from "./describe-edit.ts";
import type { EditFlags } from "./edit-flags.ts";

/** What came of an edit. */
export interface EditOutcome {
  /** What was read. */
  readonly before: FetchedDocument;
  readonly edited: EditedTree;
  /** Undefined where nothing was written. */
  readonly written:
    | (Pick<PushedImage, "blobs" | "uploadedBytes"> & { readonly destination: string })
    | undefined;
}

/**
 * Prints the result where results go, and what it is made of beside it.
 * @param shown the source as a person wrote it
 */
export function reportEdit(
  { before, edited, written }: EditOutcome,
  { shown, flags }: { readonly shown: string; readonly flags: EditFlags },
  { stdout, stderr }: Pick<CommandContext, "stdout" | "stderr">,
): void {
  const { root } = edited.tree;
  const isChanged = root.descriptor.digest !== before.descriptor.digest;
  const differences = edited.changes.map((change) => ({ change, list: differencesOf(change) }));
  const ofIndex = indexDifferences(before, root);
  if (flags.json) {
    const { digest, mediaType, size } = root.descriptor;
    const result = {
      source: shown,
      ...(written === undefined ? {} : { destination: written.destination }),
      changed: isChanged,
      before: before.descriptor.digest,
      digest,
      mediaType,
      size,
      images: differences.map(({ change, list }) => ({ ...shownChange(change), differences: list })),
      ...(ofIndex.length === 0 ? {} : { differences: ofIndex }),
      droppedAttestations: edited.droppedAttestations,
      ...(written === undefined ? {} : { blobs: written.blobs, copiedBytes: written.uploadedBytes }),
    };
    stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  if (!isChanged) {
    if (!flags.quiet) stderr.write("Nothing to change: the image is like that already\n");
    if (!flags["dry-run"]) stdout.write(`${written?.destination ?? `${shown}@${root.descriptor.digest}`}\n`);
    return;
  }
  if (flags["dry-run"]) {
    for (const { change, list } of differences) {
      if (list.length > 0)
        stdout.write(`${shownChange(change).platform}\n${indented(differenceLines(list))}`);
    }
    if (ofIndex.length > 0) stdout.write(`index\n${indented(differenceLines(ofIndex))}`);
    return;
  }
  if (!flags.quiet)
    stderr.write(
      summaryLines(before, edited)
        .map((line) => `${line}\n`)
        .join(""),
    );
  stdout.write(`${written?.destination ?? ""}\n`);
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join("");
}
