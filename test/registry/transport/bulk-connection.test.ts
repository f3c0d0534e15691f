import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { BulkConnection } from "../../../src/registry/transport/bulk-connection.ts";

const RECORD = 16 * 1024;
/** What comes after a connection was held back: one read of the system's, already decrypted. */
const LATE_RECORDS = 4;
const TOTAL = 40 * 1024 * 1024;

/** Brings bytes as TLS does: a record into each buffer, several in a row, some of them after it was held back. */
class Records extends EventEmitter {
  destroyed = false;
  #sent = 0;
  #isHeld = false;
  #onread: { buffer: () => Uint8Array; callback: (count: number) => boolean } | undefined;
  #next: Uint8Array = new Uint8Array(0);

  connect(onread: {
    buffer: () => Uint8Array;
    callback: (count: number, buffer: Uint8Array) => boolean;
  }): Socket {
    this.#onread = onread as never;
    this.#next = onread.buffer();
    return this as unknown as Socket;
  }

  async run(): Promise<void> {
    while (this.#sent < TOTAL) {
      await turn();
      for (let late = 0; late < LATE_RECORDS && this.#sent < TOTAL; ) {
        if (this.#isHeld) late++;
        this.#record();
      }
      while (this.#isHeld) await turn();
    }
    this.emit("end");
  }

  #record(): void {
    const count = Math.min(RECORD, this.#next.byteLength, TOTAL - this.#sent);
    for (let i = 0; i < count; i += 64) this.#next[i] = ((this.#sent + i) / 64) % 251;
    this.#sent += count;
    if (this.#onread?.callback(count) === false) this.#isHeld = true;
    this.#next = this.#onread?.buffer() as Uint8Array;
  }

  resume(): void {
    this.#isHeld = false;
  }

  destroy(): void {
    this.destroyed = true;
  }

  ref(): void {}
  unref(): void {}
}

describe("a connection that brings little at a time", () => {
  it.each([
    ["reads each chunk at once", 0],
    ["is slower than the connection", 3],
  ])("keeps a chunk as it is until its reader, who %s, asks for the next", async (_, turns) => {
    const records = new Records();
    const connection = new BulkConnection((onread) => records.connect(onread));
    connection.setTransient(512 * 1024);
    const running = records.run();
    let at = 0;
    let chunks = 0;
    let wrong = 0;
    for (;;) {
      const chunk = await connection.read(10_000);
      if (chunk === undefined) break;
      chunks++;
      for (let i = 0; i < turns; i++) await turn();
      // Chunks begin and end at records, so every 64th byte tells where it belongs.
      for (let i = 0; i < chunk.byteLength; i += 64) if (chunk[i] !== ((at + i) / 64) % 251) wrong++;
      at += chunk.byteLength;
    }
    await running;
    expect(at).toBe(TOTAL);
    expect(wrong).toBe(0);
    // What came together is read together.
    expect(chunks).toBeLessThan(TOTAL / RECORD / 4);
    connection.destroy();
  });
});
