import { rmSync } from "node:fs";
import { mkdtemp, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { splitPair } from "../args/values.ts";
import { CliError, usageError } from "../error.ts";

export interface SshAgent {
  readonly id: string;
  readonly socketPath: string;
}

export interface SshAgentOptions {
  readonly cwd: string;
  /** `$SSH_AUTH_SOCK` */
  readonly defaultSocket: string | undefined;
  /** Takes what cleans up behind an agent of our own; done when the process exits when absent. */
  readonly atExit?: (cleanUp: () => void) => void;
}

/** A private key is a few kilobytes; something larger is the wrong file. */
const MAX_KEY_BYTES = 100 * 1024;

/**
 * `--ssh default`, `--ssh ID=SOCKET`, `--ssh ID=KEY[,KEY...]`. Keys are offered by an agent of our own, for as long as
 * this process runs.
 * @throws {CliError} USAGE, INPUT_UNUSABLE when there is no agent's socket and no key that can be used
 */
export async function parseSshAgent(
  text: string,
  { cwd, defaultSocket, atExit = onProcessExit }: SshAgentOptions,
): Promise<SshAgent> {
  const { key, value } = splitPair(text);
  const id = key === "" ? "default" : key;
  const given = value === undefined || value === "" ? defaultSocket : value;
  if (given === undefined) {
    throw new CliError("INPUT_UNUSABLE", `Cannot offer SSH agent "${id}": $SSH_AUTH_SOCK is not set`, {
      hint: `Start one with ssh-agent, or name its socket or a key: --ssh ${id}=$HOME/.ssh/id_ed25519`,
    });
  }
  const paths = (value === given ? given.split(",") : [given]).map((path) => resolve(cwd, path));
  const sockets = await Promise.all(paths.map((path) => isSocket(id, path)));
  if (!sockets.includes(true)) return { id, socketPath: await offerKeys(id, paths, atExit) };
  const [socketPath, second] = paths;
  if (socketPath === undefined || second !== undefined) {
    throw usageError(
      `Cannot read --ssh "${text}": it names a socket and something else`,
      "Give each an ID of its own",
    );
  }
  return { id, socketPath };
}

async function isSocket(id: string, path: string): Promise<boolean> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new CliError("INPUT_UNUSABLE", `Cannot offer SSH agent "${id}": "${path}" is not there`, { cause });
  });
  if (found.isSocket()) return true;
  if (found.isFile() && found.size <= MAX_KEY_BYTES) return false;
  throw new CliError(
    "INPUT_UNUSABLE",
    `Cannot offer SSH agent "${id}": "${path}" is no socket and no private key`,
  );
}

function onProcessExit(cleanUp: () => void): void {
  process.once("exit", cleanUp);
}

/** Starts an agent with the keys; returns its socket, which goes away with the process. */
async function offerKeys(
  id: string,
  paths: readonly string[],
  atExit: (cleanUp: () => void) => void,
): Promise<string> {
  const { serveAgent } = await import("./ssh-keys/index.ts");
  const keys = await Promise.all(
    paths.map(async (path) => ({ key: await loadKey(id, path), comment: basename(path) })),
  );
  const folder = await mkdtemp(join(tmpdir(), "strake-agent-"));
  atExit(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = join(folder, "socket");
  await serveAgent(socketPath, keys);
  return socketPath;
}

async function loadKey(id: string, path: string): Promise<import("./ssh-keys/index.ts").AgentKey> {
  const { readPrivateKey } = await import("./ssh-keys/index.ts");
  const cannot = (reason: string, hint?: string, cause?: unknown): CliError =>
    new CliError("INPUT_UNUSABLE", `Cannot offer SSH key "${path}": ${reason}`, { hint, cause });
  const text = await readFile(path, "latin1");
  if (/^(ssh|ecdsa)-\S+ AAAA/.test(text))
    throw cannot("it is a public key", "Name the private one, without .pub");
  let key: ReturnType<typeof readPrivateKey>;
  try {
    key = readPrivateKey(text);
  } catch (cause) {
    // What crypto says of a key that it cannot read tells nobody anything, and might quote it.
    const reason =
      cause instanceof TypeError && !("code" in cause) ? cause.message : "it cannot be read as a private key";
    throw cannot(reason, "Keys of the kinds ed25519, ecdsa and rsa are, as ssh-keygen makes them");
  }
  if (key === undefined)
    throw cannot("it has a passphrase", `Add it to an agent, ssh-add ${path}, and give --ssh ${id}`);
  return key;
}
