import type { Socket } from "node:net";
import { NetworkError, toNetworkError } from "./network-error.ts";

/** One read brings at most this much, and so much memory is had at a time. */
const READ_BYTES = 512 * 1024;
/** A piece of memory with less left than this is not read into any more. */
const LEAST_READ_BYTES = 64 * 1024;
/** What may wait for the reader before the connection is held back. */
const QUEUE_BYTES = 1024 * 1024;

/**
 * Buffers that are used in turn: one the reader has, one that the next bytes go into, and those that wait. What waits is
 * as much as one buffer before the connection is held back, and one read more behind that: TLS goes on for a moment.
 */
export const RING_BUFFERS = 4;

/** How long bytes wait for more, so that the reader gets half a buffer at a time: each chunk costs it a round. */
const GATHER_MS = 2;

/** Connects; the socket must read into what `onread` gives it. */
export type ConnectSocket = (onread: {
  readonly buffer: () => Uint8Array;
  readonly callback: (count: number, buffer: Uint8Array) => boolean;
}) => Socket;

/**
 * A connection whose bytes are read straight into large buffers, half a megabyte or more at a time. Node's HTTP clients read
 * 64 KiB at a time and pass each piece through several streams, which for a big blob costs more than its digest. What
 * comes while the reader is busy is one chunk for it, as far as memory reaches. Chunks stay as they are, unless the reader
 * has said that it does not need them to.
 */
export class BulkConnection {
  readonly #socket: Socket;
  #memory: Uint8Array = new Uint8Array(0);
  #used = 0;
  /** Size of the buffers that are used in turn; undefined while chunks stay. */
  #ringBytes: number | undefined;
  readonly #ring: Uint8Array[] = [];
  #turn = 0;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #held = false;
  #ended = false;
  #fault: NetworkError | undefined;
  #wake: (() => void) | undefined;
  /** So many bytes are worth waking the reader for. */
  #wanted = 1;
  #gathering: NodeJS.Timeout | undefined;
  #timer: { readonly handle: NodeJS.Timeout; readonly ms: number } | undefined;

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

  /**
   * With a number, chunks from now on may be overwritten once the reader asks for the next, and come in `RING_BUFFERS`
   * buffers of so many bytes; with undefined they stay.
   */
  setTransient(bufferBytes: number | undefined): void {
    this.#ringBytes = bufferBytes;
    // What a reader before this one got may have been in these, and it may have kept it. What is left of the last one is
    // new to everybody, and promised to the socket.
    this.#ring.length = 0;
  }

  write(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /**
   * The next bytes; undefined at the end of the connection. Of transient chunks it waits a moment for as many as are
   * wanted, at most half a buffer of them.
   * @throws {NetworkError}
   */
  async read(timeoutMs: number, wanted = 1): Promise<Uint8Array | undefined> {
    this.#wanted = this.#ringBytes === undefined ? 1 : Math.min(wanted, this.#ringBytes / 2);
    if (!this.#isReady()) await this.#arrival(timeoutMs);
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.byteLength;
      if (this.#held && !this.#isFull(2)) {
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
    if (idle) {
      this.#stopTimer();
      this.#socket.unref();
    } else {
      this.#socket.ref();
    }
  }

  /** Ends the connection; a reader that waits gets the fault. */
  fail(fault: NetworkError): void {
    this.#fault ??= fault;
    this.#stopTimer();
    this.#socket.destroy();
    this.#wake?.();
  }

  destroy(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#stopTimer();
    this.#socket.destroy();
  }

  #nextBuffer(): Uint8Array {
    if (this.#memory.byteLength - this.#used < LEAST_READ_BYTES) {
      this.#memory = this.#nextMemory();
      this.#used = 0;
    }
    return this.#memory.subarray(this.#used);
  }

  #nextMemory(): Uint8Array {
    if (this.#ringBytes === undefined) return Buffer.allocUnsafeSlow(READ_BYTES);
    this.#turn = (this.#turn + 1) % RING_BUFFERS;
    this.#ring[this.#turn] ??= Buffer.allocUnsafeSlow(this.#ringBytes);
    return this.#ring[this.#turn] as Uint8Array;
  }

  /** Returns false to be held back until the reader has caught up. */
  #take(count: number): boolean {
    this.#append(this.#memory.subarray(this.#used, this.#used + count));
    this.#used += count;
    this.#queuedBytes += count;
    if (this.#isReady()) this.#wake?.();
    else this.#gather();
    this.#held = this.#isFull(1);
    return !this.#held;
  }

  /** Whether a reader has nothing to wait for: what is followed by bytes in another buffer does not grow any more. */
  #isReady(): boolean {
    return (
      this.#queuedBytes >= this.#wanted || this.#queue.length > 1 || this.#ended || this.#fault !== undefined
    );
  }

  /** Lets the bytes that are there wait for more. */
  #gather(): void {
    if (this.#wake === undefined) return;
    this.#gathering ??= setTimeout(() => this.#wake?.(), GATHER_MS);
  }

  /** What came right behind the last bytes that wait is one chunk with them: each chunk costs its reader a round. */
  #append(chunk: Uint8Array): void {
    const last = this.#queue.at(-1);
    const isNext = last?.buffer === chunk.buffer && last.byteOffset + last.byteLength === chunk.byteOffset;
    if (!isNext) this.#queue.push(chunk);
    else
      this.#queue[this.#queue.length - 1] = new Uint8Array(
        chunk.buffer,
        last.byteOffset,
        last.byteLength + chunk.byteLength,
      );
  }

  /** `part`: full to the half, say, is where reading goes on. */
  #isFull(part: number): boolean {
    return this.#queuedBytes >= (this.#ringBytes ?? QUEUE_BYTES) / part;
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  #arrival(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(this.#gathering);
        this.#gathering = undefined;
        resolve();
      };
      if (this.#queuedBytes > 0) this.#gather();
      // One timer that starts over, instead of a new one for every chunk.
      if (this.#timer?.ms === timeoutMs) {
        this.#timer.handle.refresh();
        return;
      }
      this.#stopTimer();
      const onTime = (): void => {
        if (this.#wake === undefined) return;
        this.fail(new NetworkError("timeout", `nothing came for ${Math.round(timeoutMs / 1000)} s`));
      };
      this.#timer = { handle: setTimeout(onTime, timeoutMs), ms: timeoutMs };
    });
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer.handle);
    this.#timer = undefined;
  }
}
