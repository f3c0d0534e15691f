import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Descriptor, digestOf, type GrowingBlob, parseReference } from "../../src/oci/index.ts";
import { RegistryClient, type RegistryEvent } from "../../src/registry/index.ts";
import { type FaultProxy, startProxy } from "../support/registry-proxy.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";

interface MadeBlob extends GrowingBlob {
  /** Hands the next bytes out. */
  give(bytes: Uint8Array): void;
  end(): Descriptor;
  fail(error: Error): void;
}

/** A blob that a test makes at its own pace. */
function makeGrowing(): MadeBlob {
  const chunks: Uint8Array[] = [];
  let over = false;
  let failure: Error | undefined;
  let settle: { resolve(blob: Descriptor): void; reject(error: Error): void };
  const descriptor = new Promise<Descriptor>((resolve, reject) => {
    settle = { resolve, reject };
  });
  descriptor.catch(() => undefined);
  return {
    descriptor,
    async open() {
      return (async function* () {
        for (let i = 0; ; ) {
          const next = chunks[i];
          if (failure !== undefined) throw failure;
          if (next !== undefined) {
            i++;
            yield next;
          } else if (over) return;
          else await setTimeout(2);
        }
      })();
    },
    give: (bytes) => void chunks.push(bytes),
    end() {
      over = true;
      const content = Buffer.concat(chunks);
      const blob = {
        mediaType: "application/octet-stream",
        digest: digestOf(content),
        size: content.byteLength,
      };
      settle.resolve(blob);
      return blob;
    },
    fail(error) {
      failure = error;
      settle.reject(error);
    },
  };
}

const piece = (fill: number): Buffer => Buffer.alloc(700_000, fill);

describe.skipIf(!hasRegistry)("a blob that is pushed while it is made (docker-registry installed)", () => {
  let server: RegistryServer;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startRegistry();
    proxy = await startProxy(server.host);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** Pushes `blob` early, then whole as an image's push does; what went over the wire is in `proxy.seen`. */
  async function push(name: string, work: (blob: MadeBlob) => Promise<void> | void) {
    const events: RegistryEvent[] = [];
    await using client = new RegistryClient({ onEvent: (event) => events.push(event) });
    const repository = client.repository(parseReference(`${proxy.host}/${name}`));
    const blob = makeGrowing();
    repository.pushGrowing(blob);
    await work(blob);
    const descriptor = blob.end();
    const whole = { opened: 0 };
    const result = await repository.pushBlob(descriptor, async ({ offset }) => {
      whole.opened++;
      const bytes: Uint8Array[] = [];
      for await (const chunk of await blob.open({ offset })) bytes.push(chunk);
      return [Buffer.concat(bytes).subarray(offset)] as unknown as AsyncIterable<Uint8Array>;
    });
    return { descriptor, result, whole, events, client };
  }

  async function expectStored(name: string, descriptor: Descriptor): Promise<void> {
    await using client = new RegistryClient();
    const repository = client.repository(parseReference(`${server.host}/${name}`));
    const chunks: Uint8Array[] = [];
    for await (const chunk of await repository.openBlob(descriptor)) chunks.push(chunk);
    expect(digestOf(Buffer.concat(chunks))).toBe(descriptor.digest);
  }

  async function untilSeen(method: string): Promise<void> {
    while (!proxy.seen.some((request) => request.method === method)) await setTimeout(2);
  }

  test("is on the wire before it is whole, and is not sent again", async () => {
    proxy.reset();
    const { descriptor, result, whole, events } = await push("early", async (blob) => {
      blob.give(piece(1));
      blob.give(piece(2));
      await untilSeen("PATCH"); // the blob has no digest yet
      blob.give(piece(3));
    });
    expect(result).toEqual({ kind: "uploaded" });
    expect(whole.opened).toBe(0);
    expect(proxy.seen.map(({ method }) => method).filter((method) => method !== "GET")).toEqual([
      "POST",
      "PATCH",
      "PUT",
    ]);
    await expectStored("early", descriptor);
    const ofBlob = events.filter((event) => event.kind.startsWith("blob-")).map(({ kind }) => kind);
    expect(ofBlob[0]).toBe("blob-started");
    expect(ofBlob.at(-1)).toBe("blob-finished");
  });

  test("goes whole where the registry does not take bodies of unknown length, and is not tried again there", async () => {
    proxy.reset();
    proxy.rule = ({ method }) => (method === "PATCH" ? { kind: "late-answer", status: 411 } : undefined);
    const { descriptor, result, whole, client } = await push("refused", async (blob) => {
      blob.give(piece(4));
      blob.give(piece(4));
      await untilSeen("PATCH");
    });
    expect(result).toEqual({ kind: "uploaded" });
    expect(whole.opened).toBe(1);
    await expectStored("refused", descriptor);

    proxy.reset();
    const again = makeGrowing();
    const repository = client.repository(parseReference(`${proxy.host}/refused`));
    repository.pushGrowing(again);
    again.give(piece(5));
    const second = again.end();
    await repository.pushBlob(second, async () => [piece(5)] as unknown as AsyncIterable<Uint8Array>);
    expect(proxy.seen.filter(({ method }) => method === "PATCH")).toEqual([]);
    await expectStored("refused", second);
  });

  test("goes whole when its connection breaks, and says so", async () => {
    proxy.reset();
    proxy.rule = ({ method, nth }) =>
      method === "PATCH" && nth === 0 ? { kind: "break-upload", afterBytes: 800_000 } : undefined;
    const { descriptor, result, whole, events } = await push("broken", async (blob) => {
      for (let i = 0; i < 8; i++) blob.give(piece(i));
      await untilSeen("PATCH");
    });
    expect(result).toEqual({ kind: "uploaded" });
    expect(whole.opened).toBeGreaterThanOrEqual(1);
    expect(events.some(({ kind }) => kind === "retried")).toBe(true);
    await expectStored("broken", descriptor);
  });

  test("goes whole when the end of its session is refused", async () => {
    proxy.reset();
    proxy.rule = ({ method, nth }) =>
      method === "PUT" && nth === 0 ? { kind: "answer", status: 500 } : undefined;
    const { descriptor, whole } = await push("no-commit", (blob) => blob.give(piece(6)));
    expect(whole.opened).toBe(1);
    await expectStored("no-commit", descriptor);
  });

  test("that could not be made leaves no session behind and breaks nothing", async () => {
    proxy.reset();
    await using client = new RegistryClient();
    const repository = client.repository(parseReference(`${proxy.host}/failed`));
    const blob = makeGrowing();
    repository.pushGrowing(blob);
    blob.give(piece(7));
    blob.give(piece(8));
    await untilSeen("PATCH");
    blob.fail(new Error("disk full"));
    await untilSeen("DELETE");
  });
});
