/**
 * The variables that expansion and a RUN see, in the order of their last definitions: the order that BuildKit gives a
 * process. (In the config's `Env` a variable keeps the place of its first definition.)
 */
export class EnvList {
  readonly #values: ReadonlyMap<string, string>;

  private constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  static readonly empty: EnvList = new EnvList(new Map());

  /** From `NAME=value` entries; one without `=` has an empty value. */
  static from(entries: readonly string[]): EnvList {
    const values = new Map<string, string>();
    for (const entry of entries) {
      const equals = entry.indexOf("=");
      if (equals < 0) setLast(values, entry, "");
      else setLast(values, entry.slice(0, equals), entry.slice(equals + 1));
    }
    return new EnvList(values);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  with(name: string, value: string): EnvList {
    const values = new Map(this.#values);
    setLast(values, name, value);
    return new EnvList(values);
  }

  names(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** `NAME=value` entries. */
  entries(): readonly string[] {
    return Array.from(this.#values, ([name, value]) => `${name}=${value}`);
  }

  asMap(): ReadonlyMap<string, string> {
    return this.#values;
  }
}

/** A map keeps a key where it was first set; here the last time counts. */
function setLast(values: Map<string, string>, name: string, value: string): void {
  values.delete(name);
  values.set(name, value);
}
