/** A range in a text file. Lines count from 1, columns from 1 in UTF-16 units; the end is exclusive. */
export interface SourceSpan {
  readonly file: string;
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
}
