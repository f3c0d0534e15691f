/** A group, branch or loop that the scanner is in. */
export interface Frame {
  readonly keyword: string;
  /** Between `if` and `then`, `while` and `do`. */
  isCondition: boolean;
  /** Of `case`: where a pattern may stand. */
  isPattern: boolean;
}

const RESERVED = new Set(
  "! if then elif else fi while until for select do done case esac { } function".split(" "),
);

/** What ends which frames. */
const OPENERS: Readonly<Record<string, readonly string[]>> = {
  fi: ["if"],
  done: ["while", "until", "for", "select"],
  esac: ["case"],
  "}": ["{"],
  "(": ["("],
};

export function isReserved(word: string): boolean {
  return RESERVED.has(word);
}

/** Leaves the innermost frame that `closer` ends, and what was not ended within it. */
export function leaveFrame(frames: Frame[], closer: string): void {
  const openers = OPENERS[closer] ?? [];
  const index = frames.findLastIndex(({ keyword }) => openers.includes(keyword));
  if (index !== -1) frames.length = index;
  if (frames.at(-1)?.keyword === "function") frames.pop();
}
