import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeBundle } from "../../src/runner/bundle/bundle.ts";
import { readHostFacts } from "../../src/runner/host/host-facts.ts";
import { runProcess } from "../../src/runner/process/run-process.ts";
import { runtimeCommand } from "../../src/runner/process/runtime-command.ts";
import { findRuntimePrograms } from "../../src/runner/process/runtime-programs.ts";

const folder = mkdtempSync(join(tmpdir(), "strake-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const searchPath = process.env["PATH"] ?? "";
const problem = findProblem();

function findProblem(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (process.arch !== "x64") return "knows the calls of x64";
  return existsSync("/usr/bin/perl") ? undefined : "needs perl";
}

/** What every call comes to on a kernel of that release, by the probe's labels. */
async function probe(kernelRelease: string): Promise<ReadonlyMap<string, string>> {
  const layer = (name: string): string => {
    const path = join(folder, `${name}-${kernelRelease}`);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const base = layer("base");
  for (const name of ["lib", "lib64", "bin"]) symlinkSync(`usr/${name}`, join(base, name));
  const facts = { ...readHostFacts(), kernelRelease };
  using bundle = writeBundle(
    {
      lower: [base],
      upper: layer("upper"),
      work: layer("work"),
      argv: ["/usr/bin/perl", "/probe.pl"],
      env: ["PATH=/usr/bin"],
      cwd: "/",
      uid: 0,
      gid: 0,
      additionalGids: [],
      mounts: [
        { kind: "bind", source: "/usr", target: "/usr", readonly: true },
        {
          kind: "bind",
          source: join(import.meta.dirname, "../runner/programs/syscall-probe.pl"),
          target: "/probe.pl",
          readonly: true,
        },
      ],
      network: "none",
      hostname: "probe",
      insecure: false,
      shmSizeBytes: 1 << 20,
      ulimits: [],
      extraHosts: [],
    },
    { tempDir: folder, facts, resolvConf: "/etc/resolv.conf" },
  );
  let output = "";
  const command = runtimeCommand(findRuntimePrograms(searchPath), bundle, {
    hasCgroups: facts.cgroups.isMounted,
  });
  const end = await runProcess(command, {
    env: { PATH: searchPath },
    onOutput: (_, chunk) => {
      output += Buffer.from(chunk).toString();
    },
  });
  if (end.exitCode !== 0) throw new Error(`The probe ended with ${end.exitCode}: ${output}`);
  return new Map(
    output
      .trimEnd()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)] as const),
  );
}

const ENOSYS = "38";
/** libseccomp of five years ago (2.5.1) knows the calls up to here. Only the filter that denies lets newer ones through. */
const LAST_CALL_OF_OLD_LIBSECCOMP = 441;

test.skipIf(problem !== undefined)(
  `both forms of the filter decide alike about every call${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  async () => {
    const denying = await probe("6.1.0");
    const allowing = await probe("99.0.0");
    expect(denying.size).toBeGreaterThan(500);
    const different = [...denying].filter(([label, outcome]) => {
      const number = Number(/^call-(\d+)$/.exec(label)?.[1] ?? 0);
      // The number of a call that the kernel does not have: the allowing filter may say EPERM.
      if (outcome === ENOSYS || number > LAST_CALL_OF_OLD_LIBSECCOMP) return false;
      // 64 bits of ones: the kernel looks at 32 and takes it for the query, as the denying filter does.
      if (label === "call-135") return false;
      return allowing.get(label) !== outcome;
    });
    expect(different).toEqual([]);
    // And it is a filter: mount, unshare, keyctl, bpf and io_uring_setup are refused, as are foreign namespaces.
    for (const label of [
      "call-165",
      "call-272",
      "call-250",
      "call-321",
      "call-425",
      "clone-10000000",
      "socket-40",
    ])
      expect([label, denying.get(label)]).toEqual([label, "1"]);
    expect(denying.get("clone3")).toBe(ENOSYS);
  },
);
