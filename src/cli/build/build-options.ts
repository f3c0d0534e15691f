import { isIP } from "node:net";
import type { BuildOptions, ContextSource } from "../../builder/types.ts";
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { parseExtraHost, parseSize, parseUlimit, splitPair } from "../args/values.ts";
import type { CommandContext } from "../command.ts";
import { CliError, usageError } from "../error.ts";
import { fullName } from "../images/names.ts";
import type { BuildFlags } from "./build-flags.ts";
import { checkContextFolder, isSshContext, parseBuildContext } from "./context-source.ts";
import { readDockerProxies } from "./docker-proxies.ts";
import { type BuildInputs, resolveInputs } from "./inputs.ts";
import { readOutputs } from "./read-outputs.ts";
import { parseSecret } from "./secrets.ts";
import { parseSshAgent } from "./ssh-agents.ts";

type Context = Pick<CommandContext, "cwd" | "settings" | "stdin" | "stdout">;
type Annotation = BuildOptions["annotations"][number];

/** Docker's, also for 0. */
const DEFAULT_SHM_SIZE = "64m";

/**
 * What a build command line asks for; `onEvent` and `signal` are the caller's to add.
 * @param warn takes what the reader should know although the build goes on
 * @throws {CliError} USAGE, UNSUPPORTED, INPUT_UNUSABLE, OUTPUT_REFUSED
 */
export async function readBuildOptions(
  flags: BuildFlags,
  operand: string,
  context: Context,
  warn: (message: string) => void,
): Promise<Omit<BuildOptions, "onEvent" | "signal">> {
  refuseWhatIsMissing(flags);
  const { cwd, settings } = context;
  const { variables } = settings;
  const names = flags.tag.map(fullName);
  const outputs = await readOutputs(flags, names, { ...context, warn });
  const platforms = readPlatforms(flags.platform, context);
  const secrets = await Promise.all(flags.secret.map((text) => parseSecret(text, { cwd, variables, warn })));
  const agentContext = { cwd, defaultSocket: settings.sshAgentSocket };
  const proxies = await readDockerProxies({ ...settings, warn });
  // As buildx does: a context that is fetched by ssh asks for the agent by being one.
  const needsAgent = flags.ssh.length === 0 && isSshContext(operand) && settings.sshAgentSocket !== undefined;
  const agents = needsAgent ? ["default"] : flags.ssh;
  const ssh = await Promise.all(agents.map((text) => parseSshAgent(text, agentContext)));
  const options = {
    ...(flags.target === undefined ? {} : { target: flags.target }),
    buildArgs: { ...proxies, ...readBuildArgs(flags["build-arg"], context) },
    buildContexts: await readBuildContexts(flags["build-context"], cwd),
    platforms,
    names,
    outputs,
    labels: readLabels(flags.label),
    annotations: flags.annotation.flatMap(parseAnnotation),
    secrets,
    ssh,
    network: readNetwork(flags.network),
    extraHosts: flags["add-host"].map((text) => parseExtraHost(text, (address) => isIP(address) !== 0)),
    shmSizeBytes:
      parseSize(flags["shm-size"] ?? DEFAULT_SHM_SIZE, "--shm-size") ||
      parseSize(DEFAULT_SHM_SIZE, "--shm-size"),
    ulimits: flags.ulimit.map(parseUlimit),
    noCache: flags["no-cache"] ? true : flags["no-cache-filter"].flatMap((list) => list.split(",")),
    pull: flags.pull,
    ...(flags.jobs === undefined ? {} : { maxParallelism: readJobs(flags.jobs) }),
    allow: flags.allow.flatMap((list) => list.split(",").map(checkRight)),
  };
  // Last, since it may wait for standard input: whatever is wrong with the flags is said before.
  const inputs: BuildInputs = await resolveInputs(operand, flags.file, context);
  return { ...inputs, ...options };
}

/**
 * `--platform a,b`, each once; `local` is this machine's. Without the flag $DOCKER_DEFAULT_PLATFORM says it.
 * @throws {CliError} USAGE
 */
function readPlatforms(given: readonly string[], { settings }: Context): readonly Platform[] {
  const standard = settings.variables["DOCKER_DEFAULT_PLATFORM"];
  const lists = given.length > 0 || standard === undefined || standard === "" ? given : [standard];
  const platforms = lists
    .flatMap((list) => list.split(","))
    .map((text) => text.trim())
    .map((text) => (text === "local" ? hostPlatform() : asUsage(() => parsePlatform(text))));
  return [...new Map(platforms.map((platform) => [formatPlatform(platform), platform])).values()];
}

function readBuildArgs(given: readonly string[], { settings }: Context): Record<string, string> {
  const buildArgs: Record<string, string> = {};
  for (const text of given) {
    const { key, value = settings.variables[key] } = splitPair(text);
    if (key === "") throw usageError(`Cannot read --build-arg: invalid key-value pair "${text}": empty key`);
    if (value === undefined) delete buildArgs[key];
    else buildArgs[key] = value;
  }
  const epoch = settings.sourceDateEpoch;
  // As buildx does, so that one variable makes every tool of a pipeline reproducible.
  if (epoch !== undefined && !Object.hasOwn(buildArgs, "SOURCE_DATE_EPOCH"))
    buildArgs["SOURCE_DATE_EPOCH"] = epoch;
  return buildArgs;
}

async function readBuildContexts(
  given: readonly string[],
  cwd: string,
): Promise<Record<string, ContextSource>> {
  const contexts = given.map((text) => parseBuildContext(text, cwd));
  // Said now, also of one that no instruction turns out to use.
  for (const { name, source } of contexts) await checkContextFolder(name, source);
  return Object.fromEntries(contexts.map(({ name, source }) => [name, source]));
}

function readLabels(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const { key, value = "" } = splitPair(text);
      if (key === "") throw usageError(`Cannot read --label: invalid key-value pair "${text}": empty key`);
      return [key, value];
    }),
  );
}

const ANNOTATION_TYPES = ["manifest", "index", "manifest-descriptor", "index-descriptor"];

/** `key=value`, `index:key=value`, `manifest,index:key=value`, `manifest[linux/amd64]:key=value`. */
export function parseAnnotation(text: string): Annotation[] {
  const { key, value } = splitPair(text);
  if (key === "" || value === undefined) {
    throw usageError(
      `Cannot read --annotation: invalid annotation "${text}", expected key=value`,
      "Write KEY=VALUE or TYPE:KEY=VALUE",
    );
  }
  const colon = key.indexOf(":");
  if (colon < 0) return [{ key, value }];
  return key
    .slice(0, colon)
    .split(",")
    .map((type) => {
      if (!ANNOTATION_TYPES.includes(type.replace(/\[.*\]$/, ""))) {
        throw usageError(
          `Cannot read --annotation "${text}": unknown annotation type "${type}"`,
          `Types are ${ANNOTATION_TYPES.join(", ")}`,
        );
      }
      return { key: `${type}:${key.slice(colon + 1)}`, value };
    });
}

function readNetwork(mode: string | undefined): BuildOptions["network"] {
  switch (mode) {
    case undefined:
    case "default":
      return "default";
    case "host":
    case "none":
      return mode;
    default:
      throw usageError(
        `Cannot use --network: network mode "${mode}" not supported`,
        "It is default, host or none",
      );
  }
}

/** More would only be a slip of the finger. */
const MAX_JOBS = 1024;

function readJobs(text: string): number {
  const jobs = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (jobs >= 1 && jobs <= MAX_JOBS) return jobs;
  throw usageError(`Cannot read --jobs "${text}"`, `It is a number from 1 to ${MAX_JOBS}`);
}

const RIGHTS = ["security.insecure", "network.host"];

function checkRight(right: string): string {
  if (RIGHTS.includes(right)) return right;
  throw usageError(`Unknown right "${right}" in --allow`, `Rights are ${RIGHTS.join(", ")}`);
}

/** Flags of Docker's that are understood, and that this version can't do. @throws {CliError} UNSUPPORTED */
function refuseWhatIsMissing(flags: BuildFlags): void {
  for (const name of ["cache-from", "cache-to"] as const) {
    if (flags[name].length === 0) continue;
    throw new CliError(
      "UNSUPPORTED",
      `Cannot do --${name}: this version neither exports nor imports the cache`,
      {
        hint: "Builds on one machine share the cache of its store",
      },
    );
  }
  for (const name of ["provenance", "sbom"] as const) {
    const value = flags[name];
    if (value === undefined || /^(0|f|false)$/i.test(value)) continue;
    throw new CliError("UNSUPPORTED", `Cannot do --${name}=${value}: this version makes no attestations`, {
      hint: `Leave it out, or give --${name}=false`,
    });
  }
}
