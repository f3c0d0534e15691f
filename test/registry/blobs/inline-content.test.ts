import { expect, test } from "vitest";
import { type Descriptor, digestOf } from "../../../src/oci/index.ts";
import { RegistryClient } from "../../../src/registry/index.ts";
import { startProxy } from "../../support/registry-proxy.ts";

const TYPE = "application/octet-stream";
const content = Buffer.from("what a descriptor holds");
const descriptor: Descriptor = {
  mediaType: TYPE,
  digest: digestOf(content),
  size: content.length,
  data: content.toString("base64"),
};

async function read(wanted: Descriptor, offset = 0) {
  await using registry = await startProxy();
  registry.rule = ({ path }) =>
    path === "/v2/"
      ? { kind: "answer", status: 200 }
      : { kind: "answer", status: 200, body: content.toString() };
  await using client = new RegistryClient();
  const repository = client.repository({ registry: registry.host, repository: "a" });
  const chunks: Uint8Array[] = [];
  for await (const chunk of await repository.openBlob(wanted, { offset })) chunks.push(chunk);
  return { text: Buffer.concat(chunks).toString(), asked: registry.seen.length > 0 };
}

test("what came inside the descriptor is not asked for, nor is an artifact's empty config", async () => {
  expect(await read(descriptor)).toEqual({ text: "what a descriptor holds", asked: false });
  expect(await read(descriptor, 5)).toEqual({ text: "a descriptor holds", asked: false });
  const empty = { mediaType: TYPE, digest: digestOf("{}"), size: 2 };
  expect(await read(empty)).toEqual({ text: "{}", asked: false });
});

test("what is inside and is not what the descriptor names is asked for", async () => {
  const data = Buffer.from("what an enemy would put").toString("base64");
  expect(await read({ ...descriptor, data })).toEqual({ text: "what a descriptor holds", asked: true });
  expect(await read({ ...descriptor, data: "" })).toMatchObject({ asked: true });
});
