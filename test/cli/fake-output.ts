import type { Output } from "../../src/cli/output.ts";

/** An output that keeps what is written, with the size of a terminal or none. */
export class FakeOutput implements Output {
  readonly isTTY: boolean;
  columns: number | undefined;
  rows: number | undefined;
  readonly #chunks: Buffer[] = [];

  constructor(size?: { readonly columns: number; readonly rows: number }) {
    this.isTTY = size !== undefined;
    this.columns = size?.columns;
    this.rows = size?.rows;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString("utf8");
  }

  write(text: string): void {
    this.#chunks.push(Buffer.from(text));
  }

  async writeBytes(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(Buffer.from(chunk));
  }
}
