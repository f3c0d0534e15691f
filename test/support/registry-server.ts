import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether Debian's registry (distribution 2.8) is installed. */
export const hasRegistry = spawnSync("docker-registry", ["--version"]).status === 0;
export const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;

export interface RegistryServerOptions {
  /** YAML put at the top level of the configuration: `auth:`, `proxy:` … */
  readonly extra?: string;
  /** Lines of YAML under `http:`. */
  readonly http?: readonly string[];
  /** Lines of YAML under `storage:`. */
  readonly storage?: readonly string[];
  readonly deletion?: boolean;
  /** Where blobs are; an own folder when absent. */
  readonly root?: string;
  readonly scheme?: "http" | "https";
}

/** A real registry on a port of its own. Disposing stops it and removes its files. */
export interface RegistryServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as in image names. */
  readonly host: string;
  readonly port: number;
  /** Its storage folder. */
  readonly root: string;
  /** A folder for certificates, password files and the like; there before the server starts. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** A port that nothing listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Starts Debian's `docker-registry serve`. `prepare` may write files and return options that name them. */
export async function startRegistry(
  options: RegistryServerOptions = {},
  prepare?: (folder: string) => Promise<RegistryServerOptions>,
): Promise<RegistryServer> {
  const folder = await mkdtemp(join(tmpdir(), "strake-registry-"));
  const merged = { ...options, ...(await prepare?.(folder)) };
  const root = merged.root ?? join(folder, "data");
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const file = join(folder, "config.yml");
    await writeFile(file, configFor(merged, root, port));
    const child = spawn("docker-registry", ["serve", file], { stdio: ["ignore", "ignore", "pipe"] });
    const stderr: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => void stderr.push(chunk));
    if (await isUp(child, port)) return serverFrom(child, folder, root, port);
    child.kill("SIGKILL");
    // Somebody may have taken the port in between.
    if (attempt === 3) throw new Error(`docker-registry did not start: ${Buffer.concat(stderr).toString()}`);
  }
}

function configFor(options: RegistryServerOptions, root: string, port: number): string {
  return [
    "version: 0.1",
    "log: {level: error, accesslog: {disabled: true}}",
    "storage:",
    `  filesystem: {rootdirectory: ${JSON.stringify(root)}}`,
    `  delete: {enabled: ${options.deletion ?? true}}`,
    ...(options.storage ?? []).map((line) => `  ${line}`),
    "http:",
    `  addr: 127.0.0.1:${port}`,
    "  secret: test",
    ...(options.http ?? []).map((line) => `  ${line}`),
    options.extra ?? "",
    "",
  ].join("\n");
}

async function isUp(child: ChildProcess, port: number): Promise<boolean> {
  const { connect } = await import("node:net");
  const deadline = Date.now() + 20_000;
  while (child.exitCode === null && Date.now() < deadline) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      }).on("error", () => resolve(false));
    });
    if (connected) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

function serverFrom(child: ChildProcess, folder: string, root: string, port: number): RegistryServer {
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    host: `127.0.0.1:${port}`,
    port,
    root,
    folder,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
