import { expect, test } from "vitest";
import { type Descriptor, digestOf } from "../../../src/oci/index.ts";
import { foreignNotAllowed, openForeignBlob } from "../../../src/registry/blobs/foreign-blob.ts";
import { SYSTEM_CLOCK } from "../../../src/registry/clock.ts";
import type { Exchange, ExchangeRequest } from "../../../src/registry/transport/exchange.ts";
import { Sender } from "../../../src/registry/transport/sender.ts";

const CONTENT = Buffer.from("0123456789");

function descriptor(...urls: string[]): Descriptor {
  return {
    mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    digest: digestOf(CONTENT),
    size: CONTENT.byteLength,
    urls,
  };
}

/** The rest of the world: answers by host. No test reaches a public one. */
function network(
  answer: (request: ExchangeRequest) => { status: number; body?: Uint8Array; range?: string },
): { readonly sender: Sender; readonly seen: ExchangeRequest[] } {
  const seen: ExchangeRequest[] = [];
  const exchange: Exchange = {
    async send(request) {
      seen.push(request);
      const { status, body = Buffer.of(), range } = answer(request);
      const one = (name: string): string | undefined => (name === "content-range" ? range : undefined);
      return {
        status,
        headers: { one, all: (name) => [one(name) ?? []].flat() },
        body: {
          async *[Symbol.asyncIterator]() {
            yield body;
          },
          discard() {},
        },
      };
    },
    close() {},
  };
  return { sender: new Sender(exchange, SYSTEM_CLOCK, undefined), seen };
}

async function read(sender: Sender, blob: Descriptor, offset = 0): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await openForeignBlob(sender, { descriptor: blob, offset })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("the first place that has it serves it, without credentials", async () => {
  const { sender, seen } = network(({ url }) =>
    url.host === "second.example" ? { status: 200, body: CONTENT } : { status: 404 },
  );
  const blob = descriptor("https://first.example/l", "https://second.example/l");
  expect(await read(sender, blob)).toBe("0123456789");
  expect(seen.map(({ url, headers }) => [url.host, headers["authorization"]])).toEqual([
    ["first.example", undefined],
    ["second.example", undefined],
  ]);
});

test("it goes on in the middle, also where a server starts over", async () => {
  const ranged = network(({ headers }) => ({
    status: 206,
    body: CONTENT.subarray(4),
    range: headers["range"] === "bytes=4-" ? "bytes 4-9/10" : "bytes 0-9/10",
  }));
  expect(await read(ranged.sender, descriptor("https://a.example/l"), 4)).toBe("456789");
  const whole = network(() => ({ status: 200, body: CONTENT }));
  expect(await read(whole.sender, descriptor("https://a.example/l"), 4)).toBe("456789");
});

test.each([
  "http://a.example/l",
  "https://127.0.0.1/l",
  "https://192.168.1.1/l",
  "https://169.254.169.254/latest",
  "https://user:pass@a.example/l",
  "file:///etc/passwd",
  "no address",
])("%s is never asked", async (url) => {
  const { sender, seen } = network(() => ({ status: 200, body: CONTENT }));
  await expect(read(sender, descriptor(url))).rejects.toThrow("only https addresses of public hosts");
  expect(seen).toEqual([]);
});

test("errors name the place without its secrets, and how to allow going there", async () => {
  const { sender } = network(() => ({ status: 403 }));
  const blob = descriptor("https://a.example/l?sig=secret");
  const failure = await read(sender, blob).catch((error: Error) => error.message);
  expect(failure).toContain("https://a.example/l");
  expect(failure).toContain("answered 403");
  expect(failure).not.toContain("secret");
  expect(foreignNotAllowed(blob, undefined)).toMatchObject({
    code: "BLOB_NOT_FOUND",
    message: expect.not.stringContaining("secret"),
    hint: expect.stringContaining("--allow-foreign"),
  });
});
