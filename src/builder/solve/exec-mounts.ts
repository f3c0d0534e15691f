import { chmod, chown, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../oci/index.ts";
import type { SandboxMount } from "../../runner/types.ts";
import { BuildError } from "../error.ts";
import type { ExecMount, ExecVertex } from "../graph/vertex.ts";
import type { SecretSource } from "../types.ts";
import type { HeldCaches } from "./cache-mounts.ts";
import { imageState } from "./state.ts";
import type { StepContext } from "./step.ts";

/** The mounts of one RUN, prepared; disposing removes what was made for them. */
export interface MountSession extends AsyncDisposable {
  /** The values of the secrets among them. */
  readonly secrets: readonly Uint8Array[];
  readonly mounts: readonly SandboxMount[];
  /** `NAME=value` entries that mounts add: secrets as variables, the agent's socket. */
  readonly env: readonly string[];
}

/** What mounts are made from. `From` is how the ones that show others' files say whose. */
export interface MountPlace<From extends { readonly id: string }> {
  /** The layers to mount, lowest first; of a context those with (at least) that path in them. */
  readonly layers: (from: From, path: string) => Promise<readonly Digest[]>;
  /** The caches among the mounts, held for as long as they are mounted. */
  readonly caches: HeldCaches;
  readonly secrets: readonly SecretSource[];
  readonly ssh: readonly { readonly id: string; readonly socketPath: string }[];
}

const DEFAULT_CACHE_FOLDER = { uid: 0, gid: 0, mode: 0o755 };
/** Where BuildKit shows the first agent's socket unless told otherwise. */
const SSH_SOCKET_PREFIX = "/run/buildkit/ssh_agent";

/**
 * Makes the mounts of a RUN.
 * @throws {BuildError} SECRET_MISSING, SOURCE_MISSING
 */
export async function openMounts<From extends { readonly id: string }>(
  context: MountContext,
  step: MountedStep<From>,
  inputs: MountPlace<From>,
): Promise<MountSession> {
  const session = new Session(context, step, inputs);
  try {
    for (const mount of step.mounts) await session.add(mount);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** The part of a build that mounts need. */
export type MountContext = Pick<StepContext, "store" | "layers">;

/** The part of a RUN that its mounts make up. */
export interface MountedStep<From> extends Pick<ExecVertex, "env" | "at"> {
  readonly mounts: readonly ExecMount<From>[];
}

class Session<From extends { readonly id: string }> implements MountSession {
  readonly mounts: SandboxMount[] = [];
  readonly env: string[] = [];
  readonly secrets: Uint8Array[] = [];
  readonly #context: MountContext;
  readonly #vertex: MountedStep<From>;
  readonly #inputs: MountPlace<From>;
  readonly #folders: string[] = [];
  #agents = 0;

  constructor(context: MountContext, vertex: MountedStep<From>, inputs: MountPlace<From>) {
    this.#context = context;
    this.#vertex = vertex;
    this.#inputs = inputs;
  }

  async add(mount: ExecMount<From>): Promise<void> {
    switch (mount.kind) {
      case "bind":
        return this.#addBind(mount);
      case "cache":
        return this.#addCache(mount);
      case "tmpfs":
        this.mounts.push({
          kind: "tmpfs",
          target: mount.target,
          ...(mount.sizeBytes === undefined ? {} : { sizeBytes: mount.sizeBytes }),
        });
        return;
      case "secret":
        return this.#addSecret(mount);
      case "ssh":
        return this.#addAgent(mount);
      case "script": {
        const folder = await this.#makeFolder(this.#context.store.tmpDir);
        await writeFile(join(folder, mount.name), mount.content);
        await chmod(join(folder, mount.name), 0o755);
        await chmod(folder, 0o755);
        this.mounts.push({ kind: "bind", source: folder, target: mount.folder, readonly: true });
        return;
      }
      default:
        mount satisfies never;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of this.#folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }

  async #addBind(mount: ExecMount<From> & { readonly kind: "bind" }): Promise<void> {
    // Writes go to a folder that is thrown away: what a mount receives is no part of the layer.
    const folder = await this.#makeFolder(this.#context.store.tmpDir);
    await this.#addOverlay(folder, await this.#lowerFolders(mount.from, mount.source), mount);
  }

  /** The unpacked layers to mount, top first. */
  async #lowerFolders(from: From, path: string): Promise<readonly string[]> {
    return this.#context.layers.folders(imageState(await this.#inputs.layers(from, path)));
  }

  async #addOverlay(
    folder: string,
    lower: readonly string[],
    mount: { readonly source: string; readonly target: string; readonly readonly: boolean },
  ): Promise<void> {
    await mkdir(join(folder, "upper"), { recursive: true });
    await mkdir(join(folder, "work"), { recursive: true });
    this.mounts.push({
      kind: "overlay",
      lower,
      upper: join(folder, "upper"),
      work: join(folder, "work"),
      subpath: mount.source,
      target: mount.target,
      readonly: mount.readonly,
    });
  }

  async #addCache(mount: ExecMount<From> & { readonly kind: "cache" }): Promise<void> {
    const folder = this.#inputs.caches.folderOf(mount);
    if (mount.from !== undefined) return this.#addSeededCache(mount, mount.from, folder);
    await makeCacheFolder(folder, mount.folder ?? DEFAULT_CACHE_FOLDER);
    this.mounts.push({ kind: "bind", source: folder, target: mount.target, readonly: mount.readonly });
  }

  /** A cache that starts from an image, stage or context: that shows below whatever the cache collects. */
  async #addSeededCache(
    mount: ExecMount<From> & { readonly kind: "cache" },
    from: From,
    folder: string,
  ): Promise<void> {
    await this.#addOverlay(folder, await this.#lowerFolders(from, mount.source), mount);
  }

  async #addSecret(mount: ExecMount & { readonly kind: "secret" }): Promise<void> {
    const secret = this.#inputs.secrets.findLast(({ id }) => id === mount.secretId);
    const content = secret === undefined ? undefined : await readSecret(secret);
    if (content === undefined) {
      if (!mount.required) return;
      throw new BuildError("SECRET_MISSING", `secret ${mount.secretId}: not found`, {
        at: this.#vertex.at,
        hint: `Give it with --secret id=${mount.secretId},src=FILE or --secret id=${mount.secretId},env=NAME`,
      });
    }
    this.secrets.push(content);
    if (mount.env !== undefined) this.env.push(`${mount.env}=${Buffer.from(content).toString("utf8")}`);
    if (mount.target === undefined) return;
    const path = join(await this.#makeFolder(this.#context.store.memoryDir), "secret");
    await writeFile(path, content, { mode: 0o600 });
    await chown(path, mount.uid, mount.gid);
    await chmod(path, mount.mode);
    this.mounts.push({ kind: "bind", source: path, target: mount.target, readonly: true });
  }

  async #addAgent(mount: ExecMount & { readonly kind: "ssh" }): Promise<void> {
    const agent = this.#inputs.ssh.find(({ id }) => id === mount.sshId);
    const target = mount.target ?? `${SSH_SOCKET_PREFIX}.${this.#agents}`;
    // The variable is there without an agent too, but never instead of the image's own, as in BuildKit.
    const isSet = this.#vertex.env.some((entry) => entry.startsWith("SSH_AUTH_SOCK="));
    if (this.#agents++ === 0 && !isSet) this.env.push(`SSH_AUTH_SOCK=${target}`);
    if (agent === undefined) {
      if (!mount.required) return;
      throw new BuildError("SECRET_MISSING", `unset ssh forward key ${mount.sshId}`, {
        at: this.#vertex.at,
        hint: `Give an agent with --ssh ${mount.sshId}=SOCKET, or --ssh default with SSH_AUTH_SOCK set`,
      });
    }
    this.mounts.push({ kind: "bind", source: agent.socketPath, target, readonly: false });
  }

  async #makeFolder(parent: string): Promise<string> {
    const folder = await mkdtemp(join(parent, "mount-"));
    this.#folders.push(folder);
    return folder;
  }
}

async function makeCacheFolder(
  folder: string,
  mount: { readonly uid: number; readonly gid: number; readonly mode: number },
): Promise<void> {
  if (await exists(folder)) return;
  await mkdir(folder, { recursive: true });
  await chown(folder, mount.uid, mount.gid);
  await chmod(folder, mount.mode);
}

async function readSecret(secret: SecretSource): Promise<Uint8Array | undefined> {
  if (secret.from.kind === "env") return secret.from.value;
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(secret.from.path);
  } catch (cause) {
    throw new BuildError("SECRET_MISSING", `Cannot read secret "${secret.id}" from "${secret.from.path}"`, {
      cause,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
