import { describe, expect, it } from "vitest";
import { createTtyView } from "../../../src/cli/progress/tty-view.ts";
import { FakeContext, moved, wrote } from "./fake-context.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const SIZE = { columns: 40, rows: 10 };

function open(size = SIZE) {
  const context = new FakeContext(size);
  const view = createTtyView(context);
  return { context, ...view, screen: () => new FakeTerminal(size, context.output.text) };
}

describe("the terminal view", () => {
  it("shows running steps with their last lines and transfers", () => {
    const { context, onEvent, screen } = open();
    onEvent(context.started("a", "[1/2] FROM node"));
    onEvent(moved("a", "sha256:abc", 0, 10e6));
    context.advance(1000);
    onEvent(moved("a", "sha256:abc", 5e6, 10e6));
    onEvent(context.started("b", "[2/2] RUN npm ci"));
    onEvent(wrote("b", "one\ntwo\nthr"));
    context.advance(200);
    expect(screen().lines).toEqual([
      "[+] Building 1.2s (0/2)",
      " => [1/2] FROM node                1.2s",
      " => => sha256:abc 5.00MB / 10.0MB… 1.2s",
      " => [2/2] RUN npm ci               0.2s",
      " => => # one",
      " => => # two",
      " => => # thr",
    ]);
  });

  it("never grows past the terminal: old finished steps go first, then details", () => {
    const { context, onEvent, screen } = open();
    for (let step = 0; step < 30; step++) {
      onEvent(context.started(`s${step}`, `COPY ${step}`));
      onEvent(context.finished(`s${step}`, "cached"));
    }
    onEvent(context.started("r", "RUN r"));
    onEvent(wrote("r", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"));
    context.advance(300);
    expect(screen().lines).toEqual([
      "[+] Building 0.3s (30/31)",
      " => CACHED COPY 29                 0.0s",
      " => RUN r                          0.3s",
      ...[4, 5, 6, 7, 8, 9].map((line) => ` => => # ${line}`),
    ]);
    for (let step = 0; step < 30; step++) onEvent(context.started(`t${step}`, `RUN t${step}`));
    context.advance(100);
    expect(screen().lines).toHaveLength(9);
    expect(screen().scrolledOut).toEqual([]);
  });

  it("draws at most ten times a second, and nothing at first", () => {
    const { context, onEvent } = open();
    onEvent(context.started("a", "RUN a"));
    expect(context.output.text).toBe("");
    for (let line = 0; line < 1000; line++) {
      onEvent(wrote("a", `${line}\n`));
      context.advance(1);
    }
    expect(context.output.text.split("[+] Building").length - 1).toBe(10);
  });

  it("leaves the whole picture behind, with the cursor shown and below it", () => {
    const { context, onEvent, close, screen } = open();
    for (let step = 1; step <= 12; step++) {
      onEvent(context.started(`s${step}`, `COPY ${step}`));
      context.advance(100);
      onEvent(context.finished(`s${step}`, "done", step === 12 ? "kept" : undefined));
    }
    close();
    context.output.write("after\n");
    const terminal = screen();
    expect([...terminal.scrolledOut, ...terminal.lines]).toEqual([
      "[+] Building 1.2s (12/12) FINISHED",
      ...Array.from({ length: 11 }, (_, step) =>
        ["", "=>", "COPY", `${step + 1}`].join(" ").padEnd(35).concat("0.1s"),
      ),
      " => COPY 12 (kept)                 0.1s",
      "after",
    ]);
    expect(terminal.isCursorShown).toBe(true);
    expect(context.timers).toBe(0);
    expect(context.hooks).toBeUndefined();
  });

  it("cuts by cells, not characters", () => {
    const { context, onEvent, screen } = open({ columns: 24, rows: 10 });
    onEvent(context.started("a", "RUN 日本語日本語日本語日本語"));
    onEvent(wrote("a", "語語語語語語語語語語語語語語語\n\tx\u001b[31mred\n"));
    context.advance(100);
    expect(screen().lines).toEqual([
      "[+] Building 0.1s (0/1)",
      " => RUN 日本語日…  0.1s",
      " => => # 語語語語語語…",
      " => => #         xred",
    ]);
  });

  it("redraws in place after the terminal was made narrower", () => {
    const { context, onEvent } = open({ columns: 80, rows: 24 });
    onEvent(context.started("a", "RUN a"));
    context.advance(100);
    context.output.columns = 40;
    context.advance(100);
    // Two lines of 79 and 23 cells take three rows of 40.
    expect(context.output.text).toContain("\u001b[3A\r[+] Building 0.2s");
  });

  it("gives the cursor back when the process is stopped, and draws anew below when it goes on", () => {
    const { context, onEvent, screen } = open();
    onEvent(context.started("a", "RUN a"));
    context.advance(100);
    expect(screen().isCursorShown).toBe(false);
    context.hooks?.restore();
    expect(screen().isCursorShown).toBe(true);
    context.output.write("$ fg\n");
    context.hooks?.resume();
    expect(screen().isCursorShown).toBe(false);
    expect(screen().lines).toEqual([
      "[+] Building 0.1s (0/1)",
      " => RUN a                          0.1s",
      "$ fg",
      "[+] Building 0.1s (0/1)",
      " => RUN a                          0.1s",
    ]);
  });

  it("shows no picture of a run without steps", () => {
    const { context, close, screen } = open();
    context.advance(250);
    close();
    expect(screen()).toMatchObject({ lines: [], isCursorShown: true });
  });

  it("ends with what a failed step wrote last", () => {
    const { context, onEvent, close, screen } = open({ columns: 40, rows: 20 });
    onEvent(context.started("a", "RUN test"));
    onEvent(wrote("a", "boom\n"));
    onEvent(context.finished("a", "failed"));
    onEvent(context.started("b", "RUN other"));
    onEvent(context.finished("b", "canceled"));
    close();
    expect(screen().lines).toEqual([
      "[+] Building 0.0s (2/2)",
      " => ERROR RUN test                 0.0s",
      " => CANCELED RUN other             0.0s",
      "------",
      " > RUN test:",
      "0.000 boom",
      "------",
    ]);
  });
});
