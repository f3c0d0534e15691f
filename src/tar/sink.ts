import type { TarHeader } from "./header.ts";

/** Takes what a parser finds, in the archive's order: for each entry one `entry`, its content, one `end`. */
export interface TarSink {
  entry(header: TarHeader): void;
  /** Bytes of the current file: a view into the chunk that was written, valid until its owner reuses it. */
  content(bytes: Uint8Array): void;
  /** That many zeros of the current file which a sparse archive does not store. */
  hole(length: number): void;
  end(): void;
}
