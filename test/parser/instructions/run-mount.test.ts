import { describe, expect, test } from "vitest";
import {
  DockerfileError,
  expandWord,
  parseDockerfile,
  parseRunMounts,
  runMountSources,
} from "../../../src/parser/index.ts";

const EXPAND = (word: string): string => expandWord(word, new Map([["ID", "x"]])).word;

function mount(value: string): unknown {
  const [parsed] = parseRunMounts([value], EXPAND);
  return Object.fromEntries(Object.entries(parsed ?? {}).filter(([, member]) => member !== undefined));
}

describe("parseRunMounts()", () => {
  test.each([
    ["target=/a", { type: "bind", target: "/a", readonly: true, required: false }],
    [
      "type=bind,source=s,dst=/a,rw",
      { type: "bind", source: "s", target: "/a", readonly: false, required: false },
    ],
    [
      "type=cache,id=$ID,target=/a,sharing=Locked,mode=0700,uid=1,gid=2",
      {
        type: "cache",
        id: "x",
        target: "/a",
        sharing: "locked",
        mode: 0o700,
        uid: 1,
        gid: 2,
        readonly: false,
        required: false,
      },
    ],
    [
      "type=tmpfs,size=1k,target=/a",
      { type: "tmpfs", sizeBytes: 1024, target: "/a", readonly: false, required: false },
    ],
    [
      "TYPE=Secret,ID=a,required,env=B",
      { type: "secret", id: "a", required: true, env: "B", readonly: true },
    ],
    ["type=ssh,required=false", { type: "ssh", required: false, readonly: true }],
    [
      'type=bind,"source=a,b",target=/a',
      { type: "bind", source: "a,b", target: "/a", readonly: true, required: false },
    ],
    ["type=secret,id=a,env=", { type: "secret", id: "a", env: "", readonly: true, required: false }],
    ["from=,target=/a,ro=0", { type: "bind", target: "/a", readonly: false, required: false }],
  ])("%s", (value, wanted) => {
    expect(mount(value)).toEqual(wanted);
  });

  test.each([
    ["type=foo", /unsupported mount type "foo"/],
    ["type=cach", /unsupported mount type "cach"/],
    ["bogus=1", /unexpected key 'bogus' in 'bogus=1'/],
    ["z", /invalid field 'z' must be a key=value pair/],
    ["size=1,type=tmpfs", /unexpected key 'size' for mount type 'bind'/],
    ["type=bind,mode=1", /mode not allowed for "bind"/],
    ["type=secret", /one of source, target required/],
    ["type=secret,id=a,src=b", /both source and id/],
    ["type=secret,id=a,from=b", /should not have a from/],
    ["type=cache,sharing=x", /unsupported sharing value "x"/],
    ["sharing=shared", /invalid cache sharing set for bind mount/],
    ["type=cache,mode=9", /invalid value 9 for mode/],
    ["ro=maybe", /invalid value for ro: maybe/],
    ["type=bind,required", /unexpected key 'required'/],
    ["type=${X", /missing '}'|unsupported modifier/],
  ])("refuses %s", (value, message) => {
    expect(() => mount(value)).toThrow(message);
    expect(() => mount(value)).toThrow(DockerfileError);
  });
});

describe("runMountSources()", () => {
  test("names what each mount is taken from, before variables are known", () => {
    const [run] =
      parseDockerfile("FROM a\nRUN --mount=type=$X,from=b,target=/c --mount=target=/d --mount=from= x\n")
        .stages[0]?.commands ?? [];
    expect(run?.kind === "RUN" && runMountSources(run)).toEqual(["b", undefined, undefined]);
  });
});
