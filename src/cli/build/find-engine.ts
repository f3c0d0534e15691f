import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { EngineAddress } from "../../builder/types.ts";
import { CliError } from "../error.ts";

export interface EngineSearch {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

const DOCKER_SOCKET = "/var/run/docker.sock";
/** `tcp://HOST[:PORT]`, the host being an IPv6 address in brackets, too. */
const TCP = /^(?:tcp|http):\/\/(?:([^/:[\]]+)|\[([0-9a-fA-F:.]+)\])(?::(\d+))?\/?$/;
const DOCKER_PORT = 2375;
const PODMAN_SOCKET = "/run/podman/podman.sock";

/**
 * The engine that `docker load` would talk to: $DOCKER_HOST, the current context of Docker's command line, else the first
 * socket of Docker or Podman that answers. Undefined when none does.
 * @throws {CliError} UNSUPPORTED for an address that is named and that we can't talk to
 */
export async function findEngine({ variables, home }: EngineSearch): Promise<EngineAddress | undefined> {
  const named =
    variables["DOCKER_HOST"] || (await contextHost(variables, home)) || variables["CONTAINER_HOST"];
  if (named !== undefined && named !== "") return parseAddress(named, variables);
  const runtimeDir = variables["XDG_RUNTIME_DIR"];
  const sockets = [
    DOCKER_SOCKET,
    ...(runtimeDir ? [join(runtimeDir, "docker.sock"), join(runtimeDir, "podman/podman.sock")] : []),
    PODMAN_SOCKET,
  ];
  for (const socketPath of sockets) {
    if (await answers(socketPath)) return { shownAs: `unix://${socketPath}`, at: { socketPath } };
  }
  return undefined;
}

function parseAddress(address: string, variables: EngineSearch["variables"]): EngineAddress {
  const socket = /^unix:\/\/(\/.+)$/.exec(address)?.[1];
  if (socket !== undefined) return { shownAs: address, at: { socketPath: socket } };
  const [, name, ipv6, port] = TCP.exec(address) ?? [];
  const host = name ?? ipv6;
  if (host !== undefined && !variables["DOCKER_TLS_VERIFY"])
    return { shownAs: address, at: { host, port: Number(port ?? DOCKER_PORT) } };
  throw new CliError("UNSUPPORTED", `Cannot load an image into "${address}"`, {
    hint: "Engines are spoken to through a unix socket or plain tcp; through others: -o type=docker,dest=- . | docker load",
  });
}

/** The host of the context that `docker context use` made the current one. */
async function contextHost(variables: EngineSearch["variables"], home: string): Promise<string | undefined> {
  const folder = variables["DOCKER_CONFIG"] || join(home, ".docker");
  const name =
    variables["DOCKER_CONTEXT"] || (await readMember(join(folder, "config.json"), ["currentContext"]));
  if (name === undefined || name === "" || name === "default") return undefined;
  const id = createHash("sha256").update(name).digest("hex");
  const host = await readMember(join(folder, "contexts/meta", id, "meta.json"), [
    "Endpoints",
    "docker",
    "Host",
  ]);
  if (host !== undefined) return host;
  throw new CliError("INPUT_UNUSABLE", `Cannot find the Docker context "${name}"`, {
    hint: "docker context ls lists those there are",
  });
}

async function readMember(file: string, path: readonly string[]): Promise<string | undefined> {
  try {
    let value: unknown = JSON.parse(await readFile(file, "utf8"));
    for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
    return typeof value === "string" ? value : undefined;
  } catch {
    // Not there, or no JSON: then nothing was chosen.
    return undefined;
  }
}

/** Whether somebody listens: a socket outlives an engine that was killed. */
async function answers(socketPath: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(socketPath);
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
