import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ConfigEdit, editConfig, parseChange, parseCommand } from "../../../src/builder/edit/index.ts";
import { patchConfig } from "../../../src/builder/edit/patch-config.ts";
import { decodeImageConfig, digestOf, type ImageConfig } from "../../../src/oci/index.ts";

const DIFF_ID = digestOf("layer");
const image: ImageConfig = {
  created: "2020-01-01T00:00:00Z",
  architecture: "amd64",
  os: "linux",
  config: {
    Env: ["PATH=/bin", "A=1"],
    Entrypoint: ["/entry"],
    Cmd: ["arg"],
    Labels: { one: "1" },
    ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
    OnBuild: ["RUN x"],
  },
  rootfs: { type: "layers", diff_ids: [DIFF_ID] },
  history: [{ created: "2020-01-02T00:00:00Z", created_by: "ADD x" }],
};
const change = (text: string): readonly ConfigEdit[] =>
  parseChange(text).map((instruction) => ({ kind: "instruction", instruction }));

describe("editConfig()", () => {
  it("finds the same image when something empty is emptied", () => {
    const bare = { ...image, config: { ArgsEscaped: true, Labels: { one: "1" } } };
    expect(
      editConfig(bare, [
        { kind: "user", value: "" },
        { kind: "remove-volume", name: "/data" },
        ...change("CMD []"),
      ]),
    ).toBe(bare);
    expect(editConfig(image, [{ kind: "user", value: "" }])).toBe(image);
  });

  it("sets, replaces and removes, and leaves an entry of the history for each", () => {
    const after = editConfig(image, [
      { kind: "remove-env", name: "PATH" },
      { kind: "env", name: "A", value: "$PATH 2" },
      { kind: "env", name: "B", value: "" },
      { kind: "label", name: "two", value: "2 'x'" },
      { kind: "remove-label", name: "one" },
      { kind: "remove-port", name: "443" },
      { kind: "port", value: "53/udp" },
      { kind: "user", value: "$USER" },
      { kind: "workdir", value: "srv" },
      { kind: "volume", value: "/a b" },
      { kind: "stop-signal", value: "SIGINT" },
    ]);
    expect(after.config).toEqual({
      Env: ["A=$PATH 2", "B="],
      Entrypoint: ["/entry"],
      Cmd: ["arg"],
      Labels: { two: "2 'x'" },
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      OnBuild: ["RUN x"],
      User: "$USER",
      WorkingDir: "/srv",
      Volumes: { "/a b": {} },
      StopSignal: "SIGINT",
    });
    expect(after.created).toBe(image.created);
    const added = after.history?.slice(1) ?? [];
    expect(added).toHaveLength(11);
    expect(added[0]).toEqual({
      created: "2020-01-02T00:00:00Z",
      created_by: "strake edit --env-rm PATH",
      comment: "strake edit",
      empty_layer: true,
    });
    expect(added[1]?.created_by).toBe("ENV A=$PATH 2");
  });

  it("does with instructions what a build does", () => {
    const after = editConfig(image, [
      ...change("ENV B=$A-$A C='$A'\nLABEL path=$B"),
      ...change("HEALTHCHECK --interval=5s CMD curl localhost"),
      ...change('SHELL ["/bin/bash", "-c"]'),
      ...change("CMD echo hi"),
      ...change("ONBUILD RUN y"),
      ...change("MAINTAINER somebody"),
    ]);
    expect(after.config).toMatchObject({
      Env: ["PATH=/bin", "A=1", "B=1-1", "C=$A"],
      Labels: { one: "1", path: "1-1" },
      Healthcheck: { Test: ["CMD-SHELL", "curl localhost"], Interval: 5_000_000_000 },
      Cmd: ["/bin/bash", "-c", "echo hi"],
      OnBuild: ["RUN x", "RUN y"],
    });
    expect(after.author).toBe("somebody");
  });

  it("takes the command away with a new entrypoint, unless it is set before", () => {
    const entrypoint = change('ENTRYPOINT ["/new"]');
    expect(editConfig(image, entrypoint).config?.Cmd).toBeUndefined();
    expect(editConfig(image, [...change("CMD []"), ...entrypoint]).config?.Cmd).toEqual([]);
    expect(editConfig(image, [...entrypoint, ...change('CMD ["x"]')]).config).toMatchObject({
      Entrypoint: ["/new"],
      Cmd: ["x"],
    });
  });

  it("gives back the same config when nothing has an effect", () => {
    const edits: readonly ConfigEdit[] = [
      { kind: "env", name: "A", value: "1" },
      { kind: "label", name: "one", value: "1" },
      { kind: "remove-env", name: "NONE" },
      { kind: "remove-volume", name: "/none" },
      { kind: "port", value: "80" },
    ];
    expect(editConfig(image, edits)).toBe(image);
  });

  it("dates its entries when it is told a time", () => {
    const created = "2026-01-01T00:00:00Z";
    const after = editConfig(image, [{ kind: "user", value: "1" }], { created });
    expect(after.history?.at(-1)?.created).toBe(created);
  });

  it("is the same twice, and nothing the second time on its own result", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9 $"'=]{0,8}$/);
    const name = fc.stringMatching(/^[A-Za-z_]{1,4}$/);
    const edits = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constantFrom("env" as const, "label" as const), name, value: word }),
        fc.record({ kind: fc.constantFrom("user" as const), value: fc.stringMatching(/^[a-z$]{1,4}$/) }),
      ),
    );
    fc.assert(
      fc.property(edits, (list) => {
        // Of several values for one name the last counts, and is there already the second time.
        const last = [
          ...new Map(list.map((edit) => [`${edit.kind} ${"name" in edit ? edit.name : ""}`, edit])).values(),
        ];
        const once = editConfig(image, last);
        expect(editConfig(image, last)).toEqual(once);
        expect(editConfig(once, last)).toBe(once);
      }),
    );
  });
});

describe("parseChange()", () => {
  it.each([
    ["RUN true", "RUN takes a build"],
    ["COPY a b", "COPY takes a build"],
    ["FROM alpine", "FROM takes a build"],
    ["ENV A=b\nFROM x", "FROM takes a build"],
    ["# nothing", "it has no instruction"],
    ["", "it has no instruction"],
    ["ENV", "ENV requires at least one argument"],
    ["NOTHING x", "nknown instruction"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseChange(text)).toThrow(reason);
  });
});

describe("parseCommand()", () => {
  it("takes a list, a line, or nothing", () => {
    expect(parseCommand("CMD", '["a", "b c"]', "--cmd")).toMatchObject({
      argv: ["a", "b c"],
      isShellForm: false,
    });
    expect(parseCommand("CMD", "a  b", "--cmd")).toMatchObject({ isShellForm: true });
    expect(parseCommand("ENTRYPOINT", "", "--entrypoint")).toMatchObject({ argv: [], isShellForm: false });
  });

  it("refuses a second line, which could be another instruction", () => {
    expect(() => parseCommand("CMD", "a\nUSER root", "--cmd")).toThrow("it is no single line");
  });
});

describe("patchConfig()", () => {
  const document = {
    container: "abc",
    config: { Hostname: "x", Env: null, Labels: { a: "b" } },
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [DIFF_ID] },
    "vnd.example": { kept: [1] },
  };
  const bytes = Buffer.from(JSON.stringify(document));

  it("keeps what is not known here, and the order", () => {
    const before = decodeImageConfig(bytes);
    const after = { ...before, config: { ...before.config, Labels: {}, User: "1" } };
    expect(Buffer.from(patchConfig(bytes, before, after)).toString()).toBe(
      JSON.stringify({ ...document, config: { Hostname: "x", Env: null, User: "1" } }),
    );
  });

  it("gives back the same bytes for the same config", () => {
    const before = decodeImageConfig(bytes);
    expect(patchConfig(bytes, before, { ...before, config: { ...before.config } })).toBe(bytes);
  });
});
