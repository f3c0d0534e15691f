import { expect, test } from "vitest";
import { isRefusedType } from "../../../src/registry/images/refused-type.ts";
import { RegistryError } from "../../../src/registry/index.ts";

const refusal = (status: number, code: string, message: string, method: string = "PUT"): RegistryError =>
  new RegistryError("REFUSED", "Cannot push", { method, status, errors: [{ code, message }] });

test.each([
  [refusal(415, "", ""), true],
  [refusal(400, "MANIFEST_INVALID", "unsupported manifest media type and no default available"), true],
  [refusal(400, "MANIFEST_INVALID", "Unsupported mediaType application/vnd.oci.image.index.v1+json"), true],
  [refusal(400, "MANIFEST_INVALID", "manifest invalid"), true],
  [refusal(400, "UNSUPPORTED", "The content type of the request is not supported"), true],
  [refusal(400, "MANIFEST_INVALID", "layer 3 is missing"), false],
  [refusal(400, "TAG_INVALID", "media type"), false],
  [refusal(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"), false],
  [refusal(403, "DENIED", "unsupported media type"), false],
  [refusal(415, "", "", "GET"), false],
  [new Error("unsupported media type"), false],
])("%s tells of a refused media type: %s", (error, expected) => {
  expect(isRefusedType(error)).toBe(expected);
});
