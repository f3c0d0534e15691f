/** One challenge of a WWW-Authenticate header. */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** By lower-case name; the first of equal names wins. */
  readonly params: ReadonlyMap<string, string>;
}

/** Headers past this are not looked at: no honest challenge comes near. */
const MAX_CHALLENGE_BYTES = 16 * 1024;

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;
const SPACES = /[ \t]*/y;
const BETWEEN = /[ \t,]*/y;
const BARE_VALUE = /[^,\s"]*/y;

/**
 * Reads the challenges of all WWW-Authenticate headers of a response, in order. Takes what servers send: several
 * headers and several challenges in one, any case, spaces around `=`, values without quotes, unknown schemes and
 * parameters. What cannot be read is left out.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap((header) => (header.length > MAX_CHALLENGE_BYTES ? [] : parseHeader(header)));
}

interface OpenChallenge {
  readonly scheme: string;
  readonly params: Map<string, string>;
  /** The parameter read last, if its value had no quotes. */
  bare: string | undefined;
}

function parseHeader(header: string): readonly Challenge[] {
  const challenges: OpenChallenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match[0];
  };
  for (;;) {
    take(BETWEEN);
    if (at >= header.length) return challenges;
    const name = take(TOKEN);
    if (name === undefined) {
      at++;
      continue;
    }
    const afterName = at;
    take(SPACES);
    const current = challenges.at(-1);
    if (header[at] === "=" && current !== undefined) {
      at++;
      take(SPACES);
      const quoted = header[at] === '"';
      const value = quoted ? takeQuoted() : (take(BARE_VALUE) ?? "");
      const key = name.toLowerCase();
      if (!current.params.has(key)) current.params.set(key, value);
      current.bare = quoted ? undefined : key;
      continue;
    }
    // `scope=repository:a:pull,push` without quotes: the comma belongs to the value.
    if (
      current?.bare === "scope" &&
      /^(?:pull|push|delete|\*)$/.test(name) &&
      /^[ \t]*(?:,|$)/.test(header.slice(at))
    ) {
      current.params.set("scope", `${current.params.get("scope")},${name}`);
      continue;
    }
    challenges.push({ scheme: name.toLowerCase(), params: new Map(), bare: undefined });
    if (at > afterName) take(TOKEN68);
  }

  function takeQuoted(): string {
    let value = "";
    for (at++; at < header.length; at++) {
      const char = header[at];
      if (char === '"') {
        at++;
        return value;
      }
      if (char === "\\" && at + 1 < header.length) at++;
      value += header[at];
    }
    return value;
  }
}
