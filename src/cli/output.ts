/** A stream that text goes to, with what is known of the terminal behind it. */
export interface Output {
  readonly isTTY: boolean;
  /** Width in cells, as it is now; undefined where there is no terminal. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  write(text: string): void;
  /** Writes bytes and waits until they are taken: for more than a line or two. */
  writeBytes(chunk: Uint8Array): Promise<void>;
}

/**
 * An output over one of the process's streams. A reader that went away (EPIPE) is told to `onGone` once; what is
 * written after that is dropped.
 */
export function createOutput(stream: NodeJS.WriteStream, onGone: () => void): Output {
  let gone = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (gone) return;
    gone = true;
    // Whatever the fault is (EPIPE, EIO of a closed terminal), nothing more can be said here.
    void error;
    onGone();
  });
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    get rows() {
      return stream.isTTY ? stream.rows : undefined;
    },
    write(text) {
      if (!gone) stream.write(text);
    },
    writeBytes(chunk) {
      if (gone) return Promise.resolve();
      return new Promise((resolve, reject) => {
        stream.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    },
  };
}
