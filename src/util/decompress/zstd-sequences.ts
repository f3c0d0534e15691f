import { corrupt } from "./error.ts";
import { ReverseBits } from "./zstd-bits.ts";
import { buildFseTable, constantFseTable, type FseTable, readFseTable } from "./zstd-fse.ts";

const FORMAT = "zstd";

/** The three codes that a sequence is made of, and what they start with (RFC 8878, 3.1.1.3.2). */
interface CodeKind {
  readonly maxSymbol: number;
  readonly maxAccuracyLog: number;
  readonly standard: FseTable;
}

const LITERAL_LENGTHS: CodeKind = {
  maxSymbol: 35,
  maxAccuracyLog: 9,
  standard: buildFseTable(
    [
      4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1,
      -1, -1,
    ],
    6,
  ),
};

const MATCH_LENGTHS: CodeKind = {
  maxSymbol: 52,
  maxAccuracyLog: 9,
  standard: buildFseTable(
    [1, 4, 3, 2, 2, 2, 2, 2, 2, ...new Array<number>(37).fill(1), ...new Array<number>(7).fill(-1)],
    6,
  ),
};

const OFFSETS: CodeKind = {
  maxSymbol: 31,
  maxAccuracyLog: 8,
  standard: buildFseTable(
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
    5,
  ),
};

const LITERAL_LENGTH_BITS = lengthBits(
  16,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const MATCH_LENGTH_BITS = lengthBits(
  32,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const LITERAL_LENGTH_BASES = lengthBases(0, LITERAL_LENGTH_BITS);
const MATCH_LENGTH_BASES = lengthBases(3, MATCH_LENGTH_BITS);

function lengthBits(plain: number, rest: readonly number[]): Uint8Array {
  return Uint8Array.from([...new Array<number>(plain).fill(0), ...rest]);
}

function lengthBases(start: number, bits: Uint8Array): Uint32Array {
  const bases = new Uint32Array(bits.length);
  let base = start;
  for (const [code, count] of bits.entries()) {
    bases[code] = base;
    base += 1 << count;
  }
  return bases;
}

interface SequenceTables {
  readonly literalLengths: FseTable;
  readonly offsets: FseTable;
  readonly matchLengths: FseTable;
}

/** What one block leaves for the next of its frame. */
export interface SequenceState {
  tables: SequenceTables | undefined;
  /** The last three offsets. */
  readonly recent: [number, number, number];
}

export function newSequenceState(): SequenceState {
  return { tables: undefined, recent: [1, 4, 8] };
}

/** Where sequences write: literals are copied from the block, matches from what was written before. */
export interface SequenceOutput {
  literals(length: number): void;
  match(offset: number, length: number): void;
}

/** Decodes a block's sequences section, from `start` to the block's end. */
export function decodeSequences(
  block: Uint8Array,
  range: { readonly start: number; readonly end: number },
  state: SequenceState,
  output: SequenceOutput,
): void {
  let at = range.start;
  const byte = (): number => {
    if (at >= range.end) throw corrupt(FORMAT, "sequences are cut off");
    return block[at++] as number;
  };
  const first = byte();
  const count =
    first < 128 ? first : first < 255 ? ((first - 128) << 8) + byte() : byte() + (byte() << 8) + 0x7f00;
  if (count === 0) return;

  const modes = byte();
  const readTable = (mode: number, kind: CodeKind, before: FseTable | undefined): FseTable => {
    if (mode === 0) return kind.standard;
    if (mode === 1) {
      const symbol = byte();
      if (symbol > kind.maxSymbol) throw corrupt(FORMAT, "sequence code out of range");
      return constantFseTable(symbol);
    }
    if (mode === 2) {
      const read = readFseTable(block, at, { end: range.end, ...kind });
      at = read.end;
      return read.table;
    }
    if (before === undefined) throw corrupt(FORMAT, "sequences use a table that was never given");
    return before;
  };
  const literalLengths = readTable(modes >> 6, LITERAL_LENGTHS, state.tables?.literalLengths);
  const offsets = readTable((modes >> 4) & 3, OFFSETS, state.tables?.offsets);
  const matchLengths = readTable((modes >> 2) & 3, MATCH_LENGTHS, state.tables?.matchLengths);
  state.tables = { literalLengths, offsets, matchLengths };
  runSequences(
    new ReverseBits(block, at, range.end),
    { count, recent: state.recent, ...state.tables },
    output,
  );
}

function runSequences(
  bits: ReverseBits,
  options: SequenceTables & { readonly count: number; readonly recent: [number, number, number] },
  output: SequenceOutput,
): void {
  const { count, literalLengths, offsets, matchLengths, recent } = options;
  let literalState = bits.read(literalLengths.accuracyLog);
  let offsetState = bits.read(offsets.accuracyLog);
  let matchState = bits.read(matchLengths.accuracyLog);
  for (let i = 0; i < count; i++) {
    const offsetCode = offsets.symbols[offsetState] as number;
    const matchCode = matchLengths.symbols[matchState] as number;
    const literalCode = literalLengths.symbols[literalState] as number;
    const offsetValue = 2 ** offsetCode + bits.read(offsetCode);
    const matchLength =
      (MATCH_LENGTH_BASES[matchCode] as number) + bits.read(MATCH_LENGTH_BITS[matchCode] as number);
    const literalLength =
      (LITERAL_LENGTH_BASES[literalCode] as number) + bits.read(LITERAL_LENGTH_BITS[literalCode] as number);
    if (i + 1 < count) {
      literalState =
        (literalLengths.nextStates[literalState] as number) +
        bits.read(literalLengths.bitCounts[literalState] as number);
      matchState =
        (matchLengths.nextStates[matchState] as number) +
        bits.read(matchLengths.bitCounts[matchState] as number);
      offsetState =
        (offsets.nextStates[offsetState] as number) + bits.read(offsets.bitCounts[offsetState] as number);
    }
    output.literals(literalLength);
    output.match(takeOffset(offsetValue, literalLength, recent), matchLength);
  }
  if (bits.remaining !== 0) throw corrupt(FORMAT, "sequences do not fill their stream");
}

/** Values up to 3 stand for recent offsets (RFC 8878, 3.1.1.5). */
function takeOffset(value: number, literalLength: number, recent: [number, number, number]): number {
  if (value > 3) {
    recent[2] = recent[1];
    recent[1] = recent[0];
    recent[0] = value - 3;
    return recent[0];
  }
  const index = value - (literalLength === 0 ? 0 : 1);
  if (index === 0) return recent[0];
  const offset = index === 3 ? recent[0] - 1 : (recent[index] as number);
  if (index !== 1) recent[2] = recent[1];
  recent[1] = recent[0];
  recent[0] = offset;
  return offset;
}
