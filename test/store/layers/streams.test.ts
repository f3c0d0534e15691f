import { describe, expect, test } from "vitest";
import { HandOff } from "../../../src/store/layers/hand-off.ts";
import { readAhead } from "../../../src/store/layers/read-ahead.ts";

describe("readAhead()", () => {
  async function* count(to: number, log: string[] = []) {
    try {
      for (let i = 0; i < to; i++) {
        log.push(`made ${i}`);
        yield i;
      }
    } finally {
      log.push("closed");
    }
  }

  test("hands out the same values, one ahead", async () => {
    const log: string[] = [];
    for await (const value of readAhead(count(3, log))) log.push(`used ${value}`);
    expect(log).toEqual(["made 0", "made 1", "used 0", "made 2", "used 1", "closed", "used 2"]);
  });

  test("of nothing is nothing", async () => {
    const values: number[] = [];
    for await (const value of readAhead(count(0))) values.push(value);
    expect(values).toEqual([]);
  });

  test("closes its source when it is left", async () => {
    const log: string[] = [];
    for await (const _ of readAhead(count(9, log))) break;
    expect(log.at(-1)).toBe("closed");
  });

  test("passes an error on after the values before it", async () => {
    async function* broken() {
      yield 1;
      throw new Error("broken");
    }
    const values: number[] = [];
    const reading = (async () => {
      for await (const value of readAhead(broken())) values.push(value);
    })();
    await expect(reading).rejects.toThrow("broken");
    expect(values).toEqual([1]);
  });
});

describe("HandOff", () => {
  test("gives values in order, each after the one before was taken", async () => {
    const handOff = new HandOff<number>();
    const log: string[] = [];
    const giving = (async () => {
      for (let i = 0; i < 3; i++) {
        await handOff.give(i);
        log.push(`given ${i}`);
      }
      handOff.end();
    })();
    for await (const value of handOff) log.push(`took ${value}`);
    await giving;
    expect(log).toEqual(["took 0", "given 0", "took 1", "given 1", "took 2", "given 2"]);
  });

  test("passes an error on after the values before it", async () => {
    const handOff = new HandOff<number>();
    void handOff.give(1).then(() => handOff.fail(new Error("broken")));
    const values: number[] = [];
    const taking = (async () => {
      for await (const value of handOff) values.push(value);
    })();
    await expect(taking).rejects.toThrow("broken");
    expect(values).toEqual([1]);
  });

  test("tells its giver when the taker has gone, also one that waits", async () => {
    const handOff = new HandOff<number>();
    const waiting = handOff.give(1);
    for await (const _ of handOff) break;
    handOff.leave();
    await expect(waiting).rejects.toThrow();
    await expect(handOff.give(2)).rejects.toThrow();
    const never = new HandOff<number>();
    const first = never.give(1);
    never.leave();
    await expect(first).rejects.toThrow();
  });
});
