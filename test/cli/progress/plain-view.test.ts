import { describe, expect, it } from "vitest";
import { createPlainView } from "../../../src/cli/progress/plain-view.ts";
import { FakeContext, moved, wrote } from "./fake-context.ts";

describe("the plain view", () => {
  it("numbers steps and tells their lines, times and ends", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "[1/3] FROM busybox"));
    onEvent(context.finished("a", "cached"));
    onEvent(context.started("b", "[2/3] RUN npm\n  ci"));
    context.advance(312);
    onEvent(wrote("b", "adding 3 packages\nmore"));
    context.advance(900);
    onEvent(wrote("b", " to come\n"));
    onEvent(context.finished("b", "done", "same result as before"));
    close();
    expect(context.output.text).toBe(
      [
        "#1 [1/3] FROM busybox",
        "#1 CACHED",
        "",
        "#2 [2/3] RUN npm ci",
        "#2 0.312 adding 3 packages",
        "#2 1.212 more to come",
        "#2 DONE 1.2s (same result as before)",
        "",
        "",
      ].join("\n"),
    );
  });

  it("keeps lines of steps that run side by side together", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN a"));
    onEvent(context.started("b", "RUN b"));
    context.advance(100);
    onEvent(wrote("a", "a1\n"));
    onEvent(wrote("b", "b1\n"));
    onEvent(wrote("a", "a2\n"));
    onEvent(wrote("b", "b2\n"));
    context.advance(100);
    onEvent(context.finished("a"));
    context.advance(100);
    onEvent(wrote("b", "b3\n"));
    onEvent(context.finished("b"));
    close();
    expect(context.output.text).toBe(
      [
        "#1 RUN a",
        "#1 0.100 a1",
        "#1 0.100 a2",
        "#1 DONE 0.2s",
        "",
        "#2 RUN b",
        "#2 0.100 b1",
        "#2 0.100 b2",
        "#2 0.300 b3",
        "#2 DONE 0.3s",
        "",
        "",
      ].join("\n"),
    );
  });

  it("tells a step that ends while another has the word, then goes back", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN a"));
    onEvent(context.started("b", "RUN b"));
    onEvent(wrote("b", "b1\n"));
    onEvent(context.finished("b"));
    onEvent(wrote("a", "a1\n"));
    onEvent(context.finished("a"));
    close();
    expect(context.output.text).toBe(
      [
        "#1 RUN a",
        "#1 ...",
        "",
        "#2 RUN b",
        "#2 0.000 b1",
        "#2 DONE 0.0s",
        "",
        "#1 RUN a",
        "#1 0.000 a1",
        "#1 DONE 0.0s",
        "",
        "",
      ].join("\n"),
    );
  });

  it("gives the word to a waiting step when the speaker falls silent", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN sleep"));
    onEvent(context.started("b", "RUN b"));
    onEvent(wrote("b", "b1\n"));
    context.advance(1900);
    expect(context.output.text).toBe("#1 RUN sleep\n");
    context.advance(600);
    expect(context.output.text).toBe("#1 RUN sleep\n#1 ...\n\n#2 RUN b\n#2 0.000 b1\n");
    close();
  });

  it("gives the word to a waiting step although the speaker never stops", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN yes"));
    onEvent(context.started("b", "RUN b"));
    for (let second = 0; second < 10; second++) {
      onEvent(wrote("a", "y\n"));
      context.advance(1000);
    }
    expect(context.output.text).toContain("#1 ...\n\n#2 RUN b\n");
    close();
  });

  it("tells transfers when they are complete, and now and then before", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "FROM node"));
    for (let second = 0; second <= 12; second++) {
      onEvent(moved("a", "sha256:abc", second * 1e6, 12e6));
      context.advance(1000);
    }
    onEvent(moved("a", "sha256:abc", 12e6, 12e6));
    onEvent(context.finished("a"));
    close();
    expect(context.output.text).toBe(
      [
        "#1 FROM node",
        "#1 sha256:abc 5.00MB / 12.0MB 5.0s",
        "#1 sha256:abc 10.0MB / 12.0MB 10.0s",
        "#1 sha256:abc 12.0MB / 12.0MB 12.0s done",
        "#1 DONE 13.0s",
        "",
        "",
      ].join("\n"),
    );
  });

  it("ends with the warnings, each once, and the last lines of what failed", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent({ kind: "warning", message: "careful" });
    onEvent({ kind: "warning", message: "careful" });
    onEvent(context.started("a", "RUN test"));
    onEvent(wrote("a", Array.from({ length: 50 }, (_, line) => `line ${line}\n`).join("")));
    onEvent(context.finished("a", "failed"));
    close();
    const [, report = ""] = context.output.text.split("#1 ERROR 0.0s\n\n");
    const lines = report.split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "1 warning:",
      " - careful",
      "",
      "------",
      " > RUN test:",
      "0.000 line 0",
    ]);
    expect(lines.slice(-4)).toEqual(["0.000 line 48", "0.000 line 49", "------", ""]);
  });

  it("lets nothing of a step move the cursor", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN \u001b[2Jx"));
    onEvent(wrote("a", "\u001b[31mred\u001b[0m\u001b[2J\u0007 10%\r20%\n"));
    onEvent(context.finished("a", "failed", "\u001b[1A"));
    close();
    expect(context.output.text).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(context.output.text).toContain("#1 0.000 20%\n");
  });

  it("leaves no timer behind and says nothing after its end", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN a"));
    close();
    close();
    const { text } = context.output;
    onEvent(wrote("a", "late\n"));
    expect(context.timers).toBe(0);
    expect(context.output.text).toBe(text);
  });

  it("shows the beginning and the end of a very long output, and says where all of it is", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN chatter"));
    for (let line = 1; line <= 7000; line++) onEvent(wrote("a", `line ${line}\n`));
    onEvent(context.finished("a"));
    close();
    const lines = context.output.text.split("\n");
    expect(lines).toContain("#1 0.000 line 5000");
    expect(lines).not.toContain("#1 0.000 line 5001");
    expect(lines).toContain("#1 … much output: its end will follow, all of it: strake logs 3f9a21bc 1");
    expect(lines).toContain("#1 … 1800 lines left out: strake logs 3f9a21bc 1");
    expect(lines).not.toContain("#1 0.000 line 6800");
    expect(lines.filter((line) => /line (6801|7000)$/.test(line))).toHaveLength(2);
  });

  it("leaves nothing out, and no line twice, where the end begins where the beginning ended", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN chatter"));
    for (let line = 1; line <= 5100; line++) onEvent(wrote("a", `line ${line}\n`));
    onEvent(context.finished("a"));
    close();
    const shown = context.output.text.match(/(?<=line )\d+/g)?.map(Number);
    expect(shown).toEqual(Array.from({ length: 5100 }, (_, index) => index + 1));
    expect(context.output.text).not.toContain("left out");
  });

  it("says of a failed step its first and its last lines", () => {
    const context = new FakeContext();
    const { onEvent, close } = createPlainView(context);
    onEvent(context.started("a", "RUN make"));
    for (let line = 1; line <= 60; line++) onEvent(wrote("a", `line ${line}\n`));
    onEvent(context.finished("a", "failed"));
    close();
    const report = context.output.text.slice(context.output.text.indexOf("------"));
    const first = [1, 2, 3, 4, 5].map((line) => `0.000 line ${line}`);
    const last = Array.from({ length: 20 }, (_, index) => `0.000 line ${41 + index}`);
    const gap = "… 35 lines left out: strake logs 3f9a21bc 1";
    expect(report).toBe(["------", " > RUN make:", ...first, gap, ...last, "------", ""].join("\n"));
  });
});
