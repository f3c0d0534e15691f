import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Exchange, ExchangeRequest } from "../../../src/registry/transport/exchange.ts";
import { createNodeExchange } from "../../../src/registry/transport/node-exchange.ts";

const open: { server: Server; exchange: Exchange; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  for (const { server, exchange, sockets } of open.splice(0)) {
    exchange.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  }
});

/** A server that says exactly what the test says; `answer` gets the head of each request. */
async function serve(answer: (socket: Socket, head: string, nth: number) => void) {
  const sockets = new Set<Socket>();
  const heads: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        heads.push(head);
        answer(socket, head, heads.length - 1);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const exchange = createNodeExchange();
  open.push({ server, exchange, sockets });
  const { port } = server.address() as AddressInfo;
  const get = async (bulk: boolean, more: Partial<ExchangeRequest> = {}) =>
    await exchange.send({
      method: "GET",
      url: new URL(`http://127.0.0.1:${port}/x?y=z`),
      headers: { accept: "a" },
      answerTimeoutMs: 5000,
      stallTimeoutMs: 5000,
      bulk,
      ...more,
    });
  const text = async (bulk: boolean, more: Partial<ExchangeRequest> = {}) => {
    const response = await get(bulk, more);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return `${response.status} ${Buffer.concat(chunks).toString()}`;
  };
  return { get, text, heads, connections: () => connections };
}

const lines = (...parts: string[]) => parts.join("\r\n");

describe.each([
  ["the ordinary way", false],
  ["in bulk", true],
])("an exchange %s", (_name, bulk) => {
  test("sends what was asked and reads a body of known length, again over the same connection", async () => {
    const server = await serve((socket, _head, nth) => {
      socket.write(lines("HTTP/1.1 200 OK", "Content-Length: 2", "X: a", "X: b", "", `o${nth}`));
    });
    expect(await server.text(bulk)).toBe("200 o0");
    expect(await server.text(bulk)).toBe("200 o1");
    expect(server.connections()).toBe(1);
    expect(server.heads[0]).toMatch(/^GET \/x\?y=z HTTP\/1\.1\r\n/);
    expect(server.heads[0]?.toLowerCase()).toContain("accept: a");
    const response = await server.get(bulk);
    expect(response.headers.all("x")).toEqual(["a", "b"]);
    response.body.discard();
  });

  test.each<[string, string, string]>([
    [
      "chunks",
      lines(
        "HTTP/1.1 200 OK",
        "Transfer-Encoding: chunked",
        "",
        "3;x=y",
        "abc",
        "A",
        "0123456789",
        "0",
        "Trailer: x",
        "",
        "",
      ),
      "200 abc0123456789",
    ],
    ["no body", lines("HTTP/1.1 204 No Content", "", ""), "204 "],
    [
      "an early hint before",
      lines(
        "HTTP/1.1 103 Early Hints",
        "Link: x",
        "",
        "HTTP/1.1 404 Not Found",
        "Content-Length: 1",
        "",
        "n",
      ),
      "404 n",
    ],
  ])("reads %s, however it is cut", async (_what, answer, expected) => {
    for (const size of [1, 7, 1000]) {
      const server = await serve((socket) => {
        void (async () => {
          for (let at = 0; at < answer.length; at += size) {
            await new Promise((resolve) => socket.write(answer.slice(at, at + size), resolve));
          }
        })();
      });
      expect(await server.text(bulk)).toBe(expected);
    }
  });

  test("reads a body that ends with the connection", async () => {
    const server = await serve((socket) => socket.end(lines("HTTP/1.1 200 OK", "", "all of it")));
    expect(await server.text(bulk)).toBe("200 all of it");
    expect(await server.text(bulk)).toBe("200 all of it");
    expect(server.connections()).toBe(2);
  });

  test.each<[string, string, string]>([
    ["a body cut short", lines("HTTP/1.1 200 OK", "Content-Length: 10", "", "abc"), "reset"],
    ["a chunk cut short", lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "5", "ab"), "reset"],
    [
      "chunks without an end",
      lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "2", "ab", ""),
      "reset",
    ],
    ["no answer", "", "reset"],
    ["half a head", "HTTP/1.1 200 OK\r\nX: ", "reset"],
    ["another protocol", "SSH-2.0-OpenSSH\r\n\r\n", "protocol"],
    [
      "a chunk that is none",
      lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "zz", "ab", "0", "", ""),
      "protocol|reset",
    ],
  ])("tells %s", async (_what, answer, fault) => {
    const server = await serve((socket) => socket.end(answer));
    await expect(server.text(bulk)).rejects.toMatchObject({
      name: "NetworkError",
      fault: expect.stringMatching(`^(${fault})$`),
    });
  });

  test("refuses a head without end", async () => {
    const server = await serve((socket) => {
      const filler = `X: ${"x".repeat(1000)}\r\n`;
      socket.write("HTTP/1.1 200 OK\r\n");
      const pump = (): void =>
        void (socket.writable && socket.write(filler.repeat(20), () => setImmediate(pump)));
      pump();
    });
    await expect(server.text(bulk)).rejects.toMatchObject({ fault: "protocol" });
  });

  test("gives up on a server that says nothing, or nothing more", async () => {
    const silent = await serve(() => {});
    await expect(silent.text(bulk, { answerTimeoutMs: 60 })).rejects.toMatchObject({ fault: "timeout" });
    const stuck = await serve((socket) =>
      socket.write(lines("HTTP/1.1 200 OK", "Content-Length: 10", "", "abc")),
    );
    await expect(stuck.text(bulk, { stallTimeoutMs: 60 })).rejects.toMatchObject({ fault: "timeout" });
  });

  test("a reader that takes its time is no stall", async () => {
    const server = await serve(
      (socket) =>
        socket.write(lines("HTTP/1.1 200 OK", "Content-Length: 6", "", "abc")) &&
        setTimeout(() => socket.write("def"), 20),
    );
    const response = await server.get(bulk, { stallTimeoutMs: 150 });
    let text = "";
    for await (const chunk of response.body) {
      text += Buffer.from(chunk).toString();
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    expect(text).toBe("abcdef");
  });

  test("ends with the signal's own reason, before and during the answer", async () => {
    const before = new AbortController();
    const server = await serve((socket, _head, nth) => {
      if (nth === 0) before.abort(new Error("enough"));
      else socket.write(lines("HTTP/1.1 200 OK", "Content-Length: 10", "", "abc"));
    });
    const waiting = server.text(bulk, { signal: before.signal });
    await expect(waiting).rejects.toThrow("enough");
    const during = new AbortController();
    const response = await server.get(bulk, { signal: during.signal });
    const reading = (async () => {
      for await (const _chunk of response.body) during.abort(new Error("enough now"));
    })();
    await expect(reading).rejects.toThrow("enough now");
    await expect(server.text(bulk, { signal: AbortSignal.abort(new Error("never")) })).rejects.toThrow(
      "never",
    );
  });

  test("an abort after the end touches neither the connection nor who has it now", async () => {
    const server = await serve((socket, _head, nth) => {
      socket.write(lines("HTTP/1.1 200 OK", "Content-Length: 2", "", `o${nth}`));
    });
    const controller = new AbortController();
    const response = await server.get(bulk, { signal: controller.signal });
    let next: Promise<string> | undefined;
    for await (const _chunk of response.body) {
      controller.abort(new Error("too late"));
      next = server.text(bulk);
    }
    expect(await next).toBe("200 o1");
    expect(await server.text(bulk)).toBe("200 o2");
  });

  test("notices that an idle connection has been closed, and says that it was reused", async () => {
    const server = await serve((socket, _head, nth) => {
      if (nth === 0) socket.write(lines("HTTP/1.1 200 OK", "Content-Length: 2", "", "ok"));
      else socket.destroy();
    });
    expect(await server.text(bulk)).toBe("200 ok");
    await expect(server.text(bulk)).rejects.toMatchObject({ fault: "reset", onReusedConnection: true });
  });

  test("takes no bytes that come unasked for the next answer", async () => {
    const server = await serve((socket, _head, nth) => {
      const extra = nth === 0 ? lines("HTTP/1.1 200 OK", "Content-Length: 4", "", "evil") : "";
      socket.write(lines("HTTP/1.1 200 OK", "Content-Length: 2", "", `o${nth}`) + extra);
    });
    expect(await server.text(bulk)).toBe("200 o0");
    const second = await server.text(bulk).catch((error: { fault?: string }) => error.fault);
    expect(second).not.toContain("evil");
  });

  test("reads megabytes whole when the reader is slower than the server", async () => {
    const content = Buffer.alloc(9_000_000, "0123456789");
    const server = await serve((socket) => {
      socket.write(lines("HTTP/1.1 200 OK", `Content-Length: ${content.byteLength}`, "", ""));
      socket.write(content);
    });
    const response = await server.get(bulk);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) {
      chunks.push(chunk);
      if (chunks.length % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(Buffer.compare(Buffer.concat(chunks), content)).toBe(0);
  });

  test("chunks that need not last are right while they do", async () => {
    const content = Buffer.alloc(7_000_000);
    for (let i = 0; i < content.byteLength; i += 4) content.writeUInt32LE(i, i);
    const server = await serve((socket) => {
      socket.write(lines("HTTP/1.1 200 OK", `Content-Length: ${content.byteLength}`, "", ""));
      socket.write(content);
    });
    for (let round = 0; round < 3; round++) {
      const response = await server.get(bulk, { transient: round !== 1 });
      const copies: Buffer[] = [];
      for await (const chunk of response.body) {
        // The memory may change while we wait for nothing but the next chunk, never while we hold this one.
        const copy = Buffer.from(chunk);
        if (copies.length % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
        expect(Buffer.compare(copy, chunk)).toBe(0);
        copies.push(copy);
      }
      expect(Buffer.compare(Buffer.concat(copies), content)).toBe(0);
    }
  });

  test("a header with a line break is never sent", async () => {
    const server = await serve((socket) =>
      socket.write(lines("HTTP/1.1 200 OK", "Content-Length: 0", "", "")),
    );
    await expect(server.text(bulk, { headers: { range: "x\r\nEvil: 1" } })).rejects.toThrow();
    expect(server.heads).toEqual([]);
  });
});

describe("an upload", () => {
  const upload = (chunks: AsyncIterable<Uint8Array>, size: number | undefined): Partial<ExchangeRequest> => ({
    method: "PUT",
    body: { size, chunks },
  });
  async function* many(count: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield Buffer.alloc(100_000, "x");
  }

  test("that is refused in its middle ends with that answer", async () => {
    const server = await serve((socket) => {
      socket.write(lines("HTTP/1.1 413 Too Large", "Content-Length: 3", "Connection: close", "", "big"));
    });
    expect(await server.text(false, upload(many(1000), 100_000_000))).toBe("413 big");
  });

  test("whose source fails throws the source's own error", async () => {
    const server = await serve(() => {});
    const failing = (async function* () {
      yield Buffer.alloc(10);
      throw new Error("disk on fire");
    })();
    await expect(server.text(false, upload(failing, 100))).rejects.toThrow("disk on fire");
  });

  test("to a server that stops reading is given up", async () => {
    const server = await serve((socket) => void socket.pause());
    await expect(
      server.text(false, { ...upload(many(1000), 100_000_000), stallTimeoutMs: 200 }),
    ).rejects.toMatchObject({
      fault: "timeout",
    });
  });
});
