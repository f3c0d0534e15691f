/**
 * Environment variables in order of definition; a later definition replaces the value and keeps the place, as
 * Docker does for the config's `Env`.
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
      values.set(equals < 0 ? entry : entry.slice(0, equals), equals < 0 ? "" : entry.slice(equals + 1));
    }
    return new EnvList(values);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  with(name: string, value: string): EnvList {
    return new EnvList(new Map(this.#values).set(name, value));
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
