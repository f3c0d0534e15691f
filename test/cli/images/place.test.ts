import { expect, it } from "vitest";
import { parsePlace } from "../../../src/cli/images/place.ts";

const parse = (text: string, plain: "registry" | "store" = "registry") =>
  parsePlace(text, { cwd: "/here", plain });

it.each([
  ["oci:dir", { kind: "oci", path: "/here/dir", name: undefined }],
  ["oci:/a/dir:1.2", { kind: "oci", path: "/a/dir", name: "1.2" }],
  [
    "oci-archive:x.tar:docker.io/library/a:1",
    { kind: "oci-archive", path: "/here/x.tar", name: "docker.io/library/a:1" },
  ],
  ["docker-archive:../x.tar:a:1", { kind: "docker-archive", path: "/x.tar", shown: "../x.tar", name: "a:1" }],
  ["docker-archive:x.tar:@3", { kind: "docker-archive", path: "/here/x.tar", name: "@3" }],
  ["oci:dir:", { kind: "oci", path: "/here/dir", name: undefined }],
  ["store:a", { kind: "store", name: "a" }],
  ["store:sha256:abcd", { kind: "store", name: "sha256:abcd" }],
  [
    "docker://a:1",
    { kind: "registry", reference: { registry: "docker.io", repository: "library/a", tag: "1" } },
  ],
  [
    "localhost:5000/a",
    { kind: "registry", reference: { registry: "localhost:5000", repository: "a", tag: "latest" } },
  ],
  [
    "debian:12",
    { kind: "registry", reference: { registry: "docker.io", repository: "library/debian", tag: "12" } },
  ],
])("parsePlace() reads %s", (text, expected) => {
  expect(parse(text)).toMatchObject({ ...expected, text });
});

it("parsePlace() takes a plain name for one of the store where that is meant", () => {
  expect(parse("debian:12", "store")).toMatchObject({ kind: "store", name: "debian:12" });
  expect(parse("docker://debian:12", "store")).toMatchObject({ kind: "registry" });
});

it.each([
  "oci:",
  "oci::1",
  "docker-archive:",
  "store:",
  "docker://",
  "docker://UPPER",
  "dir:x",
  "containers-storage:x",
])("parsePlace() refuses %s", (text) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: "USAGE" }));
});
