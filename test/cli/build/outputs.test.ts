import { describe, expect, it } from "vitest";
import { parseOutput } from "../../../src/cli/build/outputs.ts";

const standardOutput = { write: async () => undefined };
const context = { cwd: "/home/me", names: ["docker.io/library/app:latest"], standardOutput };
const { names } = context;

describe("parseOutput()", () => {
  it.each<[string, object]>([
    ["out", { kind: "local", destination: "/home/me/out" }],
    ["/abs", { kind: "local", destination: "/abs" }],
    ["-", { kind: "tar", destination: standardOutput }],
    ["type=local,dest=out", { kind: "local", destination: "/home/me/out" }],
    ["type=tar,dest=out.tar", { kind: "tar", destination: "/home/me/out.tar" }],
    ["type=tar", { kind: "tar", destination: standardOutput }],
    ["type=oci,dest=o.tar", { kind: "oci", destination: "/home/me/o.tar", names, tar: true }],
    ["type=oci", { kind: "oci", destination: standardOutput, names, tar: true }],
    ["type=oci,dest=dir,tar=false", { kind: "oci", destination: "/home/me/dir", names, tar: false }],
    ["type=docker,dest=-,name=x", { kind: "docker", destination: standardOutput, names: ["x"], tar: true }],
    ['type=oci,dest=o,"name=a,b"', { kind: "oci", destination: "/home/me/o", names: ["a", "b"], tar: true }],
    [
      "type=oci,dest=o,compression=zstd,compression-level=9,force-compression=true,rewrite-timestamp=true,oci-mediatypes=true",
      {
        kind: "oci",
        destination: "/home/me/o",
        names,
        tar: true,
        compression: "zstd",
        compressionLevel: 9,
        forceCompression: true,
        rewriteTimestamp: true,
      },
    ],
    [
      "type=oci,dest=o,compression=uncompressed",
      { kind: "oci", destination: "/home/me/o", names, tar: true, compression: "none" },
    ],
    ["type=image", { kind: "image", names, push: false }],
    ["type=image,name=x,push=true", { kind: "image", names: ["x"], push: true }],
    ["type=registry", { kind: "image", names, push: true }],
    [
      "type=image,name=x,push-by-digest=true,push=true,store=false,oci-mediatypes=false,compression=gzip",
      {
        kind: "image",
        names: ["x"],
        push: true,
        pushByDigest: true,
        store: false,
        ociMediaTypes: false,
        compression: "gzip",
      },
    ],
    [
      "type=image,unpack=true,dangling-name-prefix=x,name-canonical=true",
      { kind: "image", names, push: false },
    ],
    ["type=docker", { kind: "load", names }],
    [
      "type=tar,dest=t,platform-split=false",
      { kind: "tar", destination: "/home/me/t", platformSplit: false },
    ],
    ["type=local,dest=d,platform-split=1", { kind: "local", destination: "/home/me/d", platformSplit: true }],
    ["type=cacheonly", { kind: "cacheonly" }],
  ])("reads %j", (text, output) => {
    expect(parseOutput(text, context)).toEqual(output);
  });

  it("reads annotations", () => {
    expect(
      parseOutput("type=oci,dest=o,annotation.a=b,annotation-manifest[linux/amd64].c.d=e", context),
    ).toMatchObject({
      annotations: [
        { key: "manifest:a", value: "b" },
        { key: "manifest[linux/amd64]:c.d", value: "e" },
      ],
    });
  });

  it.each<[string, RegExp]>([
    ["", /empty/],
    ["a,b", /no key=value/],
    ["dest=x,tar=false", /has no type/],
    ["type=floppy,dest=x", /Unknown output type "floppy"/],
    ["type=local", /needs a folder/],
    ["type=local,dest=-", /needs a folder/],
    ["type=oci,tar=false", /needs a folder/],
    ["type=oci,dest=x,compression=lzma", /unsupported compression type lzma/],
    ["type=oci,dest=x,compression-level=high", /compression-level/],
    ["type=oci,dest=x,compression-level=10", /from 0 to 9/],
    ["type=oci,dest=x,compression=zstd,compression-level=0", /from 1 to 22/],
    ["type=oci,dest=x,tar=maybe", /either true or false/],
    ["type=oci,dest=x,bogus=1", /Unknown option "bogus"/],
    ["type=oci,dest=x,oci-mediatypes=false,compression=zstd", /contradicts itself/],
    ["type=image,compression=estargz", /Cannot compress with estargz/],
    ["type=image,registry.insecure=true", /registry.insecure/],
    ["type=local,dest=x,annotation.a=b", /makes no manifest/],
    ["type=docker,tar=false", /Unknown option "tar"/],
    ["type=local,dest=x,name=y", /Unknown option "name"/],
  ])("refuses %j", (text, message) => {
    expect(() => parseOutput(text, context)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringMatching(message) }),
    );
  });

  it("refuses to push what has no name", () => {
    expect(() => parseOutput("type=registry", { ...context, names: [] })).toThrow(/has no name/);
  });
});
