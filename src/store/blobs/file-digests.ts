import type { Worker } from "node:worker_threads";
import type { DigestAlgorithm } from "../../oci/digest.ts";

/** The thread is told of new bytes in steps of at least this. */
const STEP_BYTES = 4 * 1024 * 1024;

/** A file whose digest is found while it is written. */
export interface FollowedFile {
  /** The file has its bytes up to here. */
  wrote(upTo: number): void;
  /**
   * The digest, in hex, of all that was written. Asked for once.
   * @throws whatever kept the thread from reading the file
   */
  finish(): Promise<string>;
  /** Nobody will ask for the digest. */
  abandon(): void;
}

/** What the thread is told of a file; it answers `finish`, and only that. */
interface Message {
  readonly id: number;
  readonly what: "follow" | "wrote" | "finish" | "abandon";
  readonly path: string;
  readonly algorithm: DigestAlgorithm;
  readonly upTo: number;
}

interface Answer {
  readonly id: number;
  readonly hex?: string;
  readonly error?: unknown;
}

interface Waiting {
  readonly resolve: (hex: string) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Finds digests on a thread of its own, which reads each file behind its writer: out of the page cache, and so for a copy's
 * worth of time, while the thread that receives the bytes is free to receive more. It exists while there are files to
 * follow.
 */
export class FileDigests {
  #thread: Worker | undefined;
  #failure: unknown;
  #lastId = 0;
  readonly #followed = new Set<number>();
  readonly #waiting = new Map<number, Waiting>();

  /** The file must be there; what it holds already is read first. */
  async follow(path: string, algorithm: DigestAlgorithm): Promise<FollowedFile> {
    const { Worker } = await import("node:worker_threads");
    this.#thread ??= this.#start(Worker);
    const id = ++this.#lastId;
    this.#followed.add(id);
    let written = 0;
    let told = 0;
    const tell = (what: Message["what"]): void => {
      told = written;
      this.#thread?.postMessage({ id, what, path, algorithm, upTo: written } satisfies Message);
    };
    tell("follow");
    return {
      wrote: (upTo) => {
        written = upTo;
        if (written - told >= STEP_BYTES) tell("wrote");
      },
      finish: async () => {
        try {
          return await new Promise<string>((resolve, reject) => {
            if (this.#thread === undefined) {
              reject(this.#failure);
              return;
            }
            this.#waiting.set(id, { resolve, reject });
            tell("finish");
          });
        } finally {
          this.#leave(id);
        }
      },
      abandon: () => {
        if (!this.#followed.has(id)) return;
        tell("abandon");
        this.#leave(id);
      },
    };
  }

  #start(WorkerThread: typeof Worker): Worker {
    const thread = new WorkerThread(`(${followFiles.toString()})(require)`, { eval: true });
    const fail = (error: unknown): void => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#failure = error;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    thread.on("error", fail);
    thread.on("exit", () => fail(new Error("the thread ended")));
    thread.on("message", ({ id, hex, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (hex === undefined) waiting?.reject(error);
      else waiting?.resolve(hex);
    });
    return thread;
  }

  #leave(id: number): void {
    this.#followed.delete(id);
    if (this.#followed.size > 0) return;
    const thread = this.#thread;
    this.#thread = undefined;
    void thread?.terminate();
  }
}

/** The thread's program. It is handed over as text, so it uses nothing of this file. */
function followFiles(load: NodeJS.Require): void {
  const { closeSync, openSync, readSync } = load("node:fs") as typeof import("node:fs");
  const { createHash } = load("node:crypto") as typeof import("node:crypto");
  const { parentPort } = load("node:worker_threads") as typeof import("node:worker_threads");
  const memory = Buffer.allocUnsafeSlow(1024 * 1024);
  const files = new Map<number, { readonly hash: import("node:crypto").Hash; fd: number; at: number }>();
  const failures = new Map<number, unknown>();

  const read = (id: number, upTo: number): void => {
    const file = files.get(id);
    while (file !== undefined && file.at < upTo) {
      const count = readSync(file.fd, memory, 0, Math.min(memory.byteLength, upTo - file.at), file.at);
      if (count === 0) throw new Error("the file has become shorter");
      file.hash.update(memory.subarray(0, count));
      file.at += count;
    }
  };
  const forget = (id: number): void => {
    const file = files.get(id);
    files.delete(id);
    if (file !== undefined) closeSync(file.fd);
  };

  parentPort?.on("message", ({ id, what, path, algorithm, upTo }: Message) => {
    try {
      if (what === "follow") files.set(id, { hash: createHash(algorithm), fd: openSync(path, "r"), at: 0 });
      if (what !== "abandon") read(id, upTo);
    } catch (error) {
      failures.set(id, error);
      forget(id);
    }
    if (what === "finish") {
      const hex = files.get(id)?.hash.digest("hex");
      parentPort.postMessage(hex === undefined ? { id, error: failures.get(id) } : { id, hex });
    }
    if (what === "finish" || what === "abandon") {
      forget(id);
      failures.delete(id);
    }
  });
}
