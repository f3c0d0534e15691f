import type { ImageFormat, LostInFormat } from "../../oci/index.ts";
import type { Conversion } from "./copy-image.ts";

/** What a conversion means for the image, in a sentence or two. */
export function describeConversion({ format, lost, refusal }: Conversion): string {
  const types = `${FORMATS[format]}'s media types`;
  const done =
    refusal === undefined
      ? `the image has ${types} now, and other digests`
      : `it takes no OCI media types, so the image has ${types} there, and other digests`;
  return lost.length === 0
    ? done
    : `${done}; left out, for want of a place: ${lost.map((what) => LOST[what]).join(", ")}`;
}

const FORMATS: Readonly<Record<ImageFormat, string>> = { oci: "OCI", docker: "Docker" };

const LOST: Readonly<Record<LostInFormat, string>> = {
  annotations: "annotations",
  attestations: "attestations",
  subject: "what it refers to",
};
