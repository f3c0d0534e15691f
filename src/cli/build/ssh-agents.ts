import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { splitPair } from "../args/values.ts";
import { CliError } from "../error.ts";

export interface SshAgent {
  readonly id: string;
  readonly socketPath: string;
}

/**
 * `--ssh default`, `--ssh ID=SOCKET`.
 * @param defaultSocket `$SSH_AUTH_SOCK`
 * @throws {CliError} INPUT_UNUSABLE when there is no agent's socket
 */
export async function parseSshAgent(
  text: string,
  { cwd, defaultSocket }: { readonly cwd: string; readonly defaultSocket: string | undefined },
): Promise<SshAgent> {
  const { key, value } = splitPair(text);
  const id = key === "" ? "default" : key;
  const socket = value === undefined || value === "" ? defaultSocket : value;
  if (socket === undefined) {
    throw new CliError("INPUT_UNUSABLE", `Cannot offer SSH agent "${id}": $SSH_AUTH_SOCK is not set`, {
      hint: "Start one with ssh-agent, or name its socket: --ssh default=/path/to/socket",
    });
  }
  const socketPath = resolve(cwd, socket);
  const found = await stat(socketPath).catch((cause: unknown) => {
    throw new CliError("INPUT_UNUSABLE", `Cannot offer SSH agent "${id}": "${socketPath}" is not there`, {
      cause,
    });
  });
  if (!found.isSocket()) {
    throw new CliError("INPUT_UNUSABLE", `Cannot offer SSH agent "${id}": "${socketPath}" is no socket`, {
      hint: "Keys are offered through an agent only: run ssh-add with the key and give --ssh default",
    });
  }
  return { id, socketPath };
}
