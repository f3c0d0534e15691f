import { describe, expect, it } from "vitest";
import { adviseDockerfile } from "../../../../src/parser/lint/advice/index.ts";

/** The rules that speak about a file, with line and column; without those that are not asked about. */
function found(text: string, rule: string): readonly string[] {
  return adviseDockerfile(text)
    .filter((advice) => advice.rule === rule)
    .map(({ range }) => `${range.startLine}:${range.startColumn}`);
}

const inRun = (script: string): string => `FROM debian:12\nRUN ${script}\n`;

describe("adviseDockerfile()", () => {
  it("finds places behind continued lines and comments", () => {
    const text = "FROM debian:12\nRUN true && \\\n# comment\n\n  sudo a \\\n  && sudo b\n";
    expect(found(text, "SudoUsed")).toEqual(["5:3"]);
  });

  it("says nothing about a file that can't be parsed", () => {
    expect(adviseDockerfile("FROM a b\n")).toEqual([]);
  });

  it("reads no script for a shell that isn't Bourne's", () => {
    expect(found('FROM a:1\nSHELL ["pwsh", "-c"]\nRUN sudo x\n', "SudoUsed")).toEqual([]);
    expect(found("# escape=`\nFROM a:1\nRUN sudo x\n", "SudoUsed")).toEqual([]);
    expect(found("FROM mcr.microsoft.com/windows:1\nRUN sudo x\n", "SudoUsed")).toEqual([]);
    expect(found("FROM a:1\nRUN <<E\n#!/usr/bin/env python3\nsudo x\nE\n", "SudoUsed")).toEqual([]);
  });

  it("reads heredocs, scripts of a shell's own, and the exec form of a shell", () => {
    expect(found("FROM a:1\nRUN <<E\nsudo x\nE\n", "SudoUsed")).toEqual(["3:1"]);
    expect(found("FROM a:1\nRUN bash -e <<E\nsudo x\nE\n", "SudoUsed")).toEqual(["3:1"]);
    expect(found('FROM a:1\nRUN ["bash", "-c", "sudo x"]\n', "SudoUsed")).toEqual(["2:1"]);
  });
});

describe.each([
  ["UnnoticedFailure", "make; echo done", true],
  ["UnnoticedFailure", "set -e; make; echo done", false],
  ["UnnoticedFailure", "set -euxo pipefail; make; echo done", false],
  ["UnnoticedFailure", "make || exit 1; echo done", false],
  ["UnnoticedFailure", "make && echo done", false],
  ["UnnoticedFailure", "export A=1; make", false],
  ["UnnoticedFailure", "rm -f x; make", false],
  ["UnnoticedFailure", "if make; then echo; fi; true", false],
  ["UnnoticedFailure", "make & wait", false],
  ["PipeHidesFailure", "curl -s x | tee y", true],
  ["PipeHidesFailure", "set -o pipefail && curl -s x | tee y", false],
  ["PipeHidesFailure", "curl -s x | tar xz", false],
  ["PipeHidesFailure", "npm --version | tee y", false],
  ["PipeHidesFailure", "cat x | tee y", false],
  ["DownloadExecuted", "curl x | sudo bash -", true],
  ["DownloadExecuted", 'bash -c "$(curl -fsSL x)"', true],
  ["DownloadExecuted", "wget -qO- x | python3 -c 'import sys'", false],
  ["DownloadExecuted", "curl x | sh script.sh", false],
  ["InstallNotConfirmed", "apt-get -qq install a", false],
  ["InstallNotConfirmed", "apt-get install -qy a", false],
  ["InstallNotConfirmed", "apt-get $OPTIONS install a", false],
  ["InstallNotConfirmed", "yes | apt-get install a", false],
  ["InstallNotConfirmed", "apt-get -o a=b install a", true],
  ["InstallNotConfirmed", "dnf install a", true],
  ["InstallNotConfirmed", "dnf install -y a", false],
  ["InstallNotConfirmed", "zypper -n in a", false],
  ["InstallNotConfirmed", "pacman -S a", true],
  ["InstallNotConfirmed", "pacman -Ss a", false],
  ["AptListsLeft", "apt-get update && rm -rf /var/lib/apt/lists", false],
  ["AptListsLeft", "apt-get update && rm -rf /var/lib/{apt,dpkg}/lists/*", false],
  ["AptListsLeft", "apt-get update && rm -rf /tmp/*", true],
  ["AptListsLeft", "--mount=type=cache,target=/var/lib/apt apt-get update", false],
  ["AptListsLeft", "apt-get update && apt-get clean", true],
  ["AptListsLeft", "echo apt-get update", false],
  ["ApkCacheLeft", "apk --no-cache add a", false],
  ["PackageCacheLeft", "pip install --no-cache-dir a", false],
  ["PackageCacheLeft", "npm ci && npm cache clean --force", false],
  ["LostShellState", "cd /x", true],
  ["LostShellState", "cd /x && make", false],
  ["LostShellState", "export A=$(b)", false],
  ["LostShellState", ". /x/y", true],
  ["SecretInFile", "git clone https://a:$TOKEN@b.example/c", false],
  ["SecretInFile", "git clone https://user:password@b.example/c", false],
  ["SecretInFile", "X=AKIAIOSFODNN7EXAMPLE", false],
  ["SecretInFile", "X=AKIAIOSFODNN7ABCDEFG", true],
])("%s", (rule, script, isFound) => {
  it(`${isFound ? "finds" : "leaves alone"}: ${script}`, () => {
    expect(found(inRun(script), rule).length > 0).toBe(isFound);
  });
});

describe("rules that know stages", () => {
  const layered = (last: string): string => `FROM debian:12 AS a\nRUN apt-get update\n${last}\n`;

  it("look at layers of the image, not at what is left behind", () => {
    expect(found(layered("FROM a\nRUN true"), "AptListsLeft")).toEqual(["2:5"]);
    expect(found(layered("FROM debian:12\nCOPY --from=a /x /x"), "AptListsLeft")).toEqual([]);
  });

  it("follow an update into the stages built on it", () => {
    expect(found(layered("FROM a\nRUN apt-get install -y b"), "AptUpdateApart")).toEqual(["4:5"]);
  });

  it("follow variables, folders and users", () => {
    expect(found("FROM a:1\nENV PIP_NO_CACHE_DIR=1\nRUN pip install b\n", "PackageCacheLeft")).toEqual([]);
    expect(found("FROM a:1\nWORKDIR /x\nCOPY b b\nRUN chown -R c /x/b\n", "ChangedAfterCopy")).toEqual([
      "4:5",
    ]);
    expect(found("FROM a:1\nWORKDIR /x\nCOPY b b\nRUN chown -R c /y\n", "ChangedAfterCopy")).toEqual([]);
    expect(found("FROM a:1\nWORKDIR $X\nCOPY b b\nRUN rm -r b\n", "RemovedTooLate")).toEqual([]);
  });

  it("take a FROM with a variable for any stage", () => {
    expect(found("FROM a:1\nRUN b\nARG X\nFROM c:1\nCOPY --from=$X /d /d\n", "UnusedStage")).toEqual([]);
    expect(found("FROM a:1\nRUN b\nFROM c:1\nCOPY --from=0 /d /d\n", "UnusedStage")).toEqual([]);
  });

  it("see root, and the last USER", () => {
    expect(found('FROM a:1\nUSER b\nUSER root\nCMD ["c"]\n', "RunsAsRoot")).toEqual(["3:1"]);
    expect(found('FROM a:1 AS x\nUSER b\nFROM x\nCMD ["c"]\n', "RunsAsRoot")).toEqual([]);
    expect(found('FROM gcr.io/d/static:nonroot\nCMD ["c"]\n', "RunsAsRoot")).toEqual([]);
  });
});
