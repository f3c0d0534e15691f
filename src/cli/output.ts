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
 * An output over one of the process's streams. The first fault (a reader that went away, a full disk) is told to
 * `onFault`; what is written after that is dropped.
 */
export function createOutput(
  stream: NodeJS.WriteStream,
  onFault: (error: NodeJS.ErrnoException) => void,
): Output {
  let gone = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (gone) return;
    gone = true;
    onFault(error);
  });
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.isTTY ? sizeOf(stream.columns) : undefined;
    },
    get rows() {
      return stream.isTTY ? sizeOf(stream.rows) : undefined;
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

/** A terminal that nobody told its size, as script(1) makes them without one of its own, says 0. */
function sizeOf(cells: number | undefined): number | undefined {
  return cells === 0 ? undefined : cells;
}
