import type { LostInFormat } from "../../oci/index.ts";
import type { Conversion } from "./copy-image.ts";

/** What nobody asked for when documents were converted, in a sentence; undefined when it was just as asked. */
export function describeConversion({ format, lost, refusal }: Conversion): string | undefined {
  const names = lost.map((what) => LOST[what]).join(" and ");
  const left =
    format === "docker"
      ? `Docker's format has no place for ${names}: left out`
      : `${names} left out: made for what was there before`;
  if (refusal === undefined) return lost.length === 0 ? undefined : left;
  const done = "it takes no OCI media types: the image has Docker's there, and other digests";
  return lost.length === 0 ? done : `${done}. ${left}`;
}

const LOST: Readonly<Record<LostInFormat, string>> = {
  annotations: "annotations",
  attestations: "attestations",
  subject: "what an image refers to",
};
