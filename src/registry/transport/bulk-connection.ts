import type { Socket } from "node:net";
import { NetworkError, toNetworkError } from "./network-error.ts";

/** One read brings at most this much. */
const READ_BYTES = 512 * 1024;
/** A piece of memory with less left than this is not read into any more. */
const LEAST_READ_BYTES = 64 * 1024;
/** What may wait for the reader before the connection is held back. */
const QUEUE_BYTES = 1024 * 1024;

/** Connects; the socket must read into what `onread` gives it. */
export type ConnectSocket = (onread: {
  readonly buffer: () => Uint8Array;
  readonly callback: (count: number, buffer: Uint8Array) => boolean;
}) => Socket;

/**
 * A connection whose bytes are read straight into large buffers, half a megabyte at a time. Node's HTTP clients read 64 KiB
 * at a time and pass each piece through several streams, which for a big blob costs more than its digest. Chunks stay
 * as they are; memory is not used twice.
 */
export class BulkConnection {
  readonly #socket: Socket;
  #memory: Uint8Array = new Uint8Array(0);
  #used = 0;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #held = false;
  #ended = false;
  #fault: NetworkError | undefined;
  #wake: (() => void) | undefined;

  constructor(connect: ConnectSocket) {
    this.#socket = connect({
      buffer: () => this.#nextBuffer(),
      callback: (count) => this.#take(count),
    });
    this.#socket.on("error", (error) => this.fail(toNetworkError(error)));
    this.#socket.on("end", () => this.#end());
    this.#socket.on("close", () => this.#end());
  }

  get isOpen(): boolean {
    return !this.#ended && this.#fault === undefined && !this.#socket.destroyed;
  }

  /** Whether bytes came that nobody has read. */
  get hasBytes(): boolean {
    return this.#queuedBytes > 0;
  }

  write(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** The next bytes; undefined at the end of the connection. @throws {NetworkError} */
  async read(timeoutMs: number): Promise<Uint8Array | undefined> {
    if (this.#queue.length === 0 && !this.#ended && this.#fault === undefined) await this.#arrival(timeoutMs);
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.byteLength;
      if (this.#held && this.#queuedBytes < QUEUE_BYTES / 2) {
        this.#held = false;
        this.#socket.resume();
      }
      return chunk;
    }
    if (this.#fault !== undefined) throw this.#fault;
    return undefined;
  }

  /** Gives bytes back that were read but not meant for this reader. */
  unread(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#queue.unshift(chunk);
    this.#queuedBytes += chunk.byteLength;
  }

  /** While idle a connection must not keep the process alive. */
  setIdle(idle: boolean): void {
    if (idle) this.#socket.unref();
    else this.#socket.ref();
  }

  /** Ends the connection; a reader that waits gets the fault. */
  fail(fault: NetworkError): void {
    this.#fault ??= fault;
    this.#socket.destroy();
    this.#wake?.();
  }

  destroy(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#socket.destroy();
  }

  #nextBuffer(): Uint8Array {
    if (this.#memory.byteLength - this.#used < LEAST_READ_BYTES) {
      this.#memory = Buffer.allocUnsafeSlow(READ_BYTES);
      this.#used = 0;
    }
    return this.#memory.subarray(this.#used);
  }

  /** Returns false to be held back until the reader has caught up. */
  #take(count: number): boolean {
    this.#queue.push(this.#memory.subarray(this.#used, this.#used + count));
    this.#used += count;
    this.#queuedBytes += count;
    this.#wake?.();
    if (this.#queuedBytes < QUEUE_BYTES) return true;
    this.#held = true;
    return false;
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  #arrival(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.fail(new NetworkError("timeout", `nothing came for ${Math.round(timeoutMs / 1000)} s`));
      }, timeoutMs);
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
