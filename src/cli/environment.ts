import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Everything that strake takes from the process's environment, read once; nothing else looks at it. */
export interface Settings {
  /** Folder of the store: `$STRAKE_ROOT`, else /var/lib/strake for root, else `$XDG_DATA_HOME/strake`. */
  readonly storeRoot: string;
  readonly home: string;
  /** The uid of the person; in a user namespace that we made, the one outside. */
  readonly uid: number;
  /** Whether we are in a user namespace that we made, and so may mount and own files although `uid` is not 0. */
  readonly isInNamespace: boolean;
  /** `$NO_COLOR` is set to anything, or the terminal is a dumb one. */
  readonly noColor: boolean;
  /** `$TERM` is `dumb` or missing: nothing may be redrawn. */
  readonly dumbTerminal: boolean;
  /** `$STRAKE_PROGRESS`: what `--progress` is when it isn't given. */
  readonly progress: string | undefined;
  /** `$SOURCE_DATE_EPOCH`, which builds see as a build arg. */
  readonly sourceDateEpoch: string | undefined;
  /** `$SSH_AUTH_SOCK` */
  readonly sshAgentSocket: string | undefined;
  /** `$STRAKE_INSECURE_REGISTRIES`, apart by commas: may speak plain http or have any certificate; `*` is all. */
  readonly insecureRegistries: readonly string[];
  /** `$STRAKE_REGISTRY_MIRRORS`, `REGISTRY=ADDRESS` apart by commas: asked first when pulling, in this order. */
  readonly registryMirrors: readonly string[];
  /** `$STRAKE_REGISTRY_LOG`: a file that gets a line for each request to a registry. */
  readonly registryLog: string | undefined;
  /** `$STRAKE_RETRY_TIMEOUT`: what `--retry-timeout` is when it isn't given. */
  readonly retryTimeout: string | undefined;
  /** `--retry-timeout` of this call: how long failing requests to registries are tried again. */
  readonly retryTimeoutMs?: number | undefined;
  /** `$PATH`: where runc, credential helpers and the like are looked for. */
  readonly searchPath: string;
  /** `$STRAKE_DEBUG`: unexpected errors show their stack. */
  readonly debug: boolean;
  /** All variables: for `--build-arg NAME`, `--secret env=NAME`, credentials and proxies, which name their own. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface User {
  readonly uid: number;
  readonly home: string;
  readonly isInNamespace: boolean;
}

/** Whose process this is. */
export async function readUser(): Promise<User> {
  const { uid, isInNamespace } = await readUid();
  return { uid, isInNamespace, home: homedir() };
}

async function readUid(): Promise<Pick<User, "uid" | "isInNamespace">> {
  const uid = process.geteuid?.() ?? 0;
  // The runner's code is loaded only where its marker is.
  if (uid !== 0 || process.env["STRAKE_OUTER_UID"] === undefined) return { uid, isInNamespace: false };
  const [{ findOuterUid, OUTER_UID_VARIABLE }, { readFile }] = await Promise.all([
    import("../runner/index.ts"),
    import("node:fs/promises"),
  ]);
  const uidMap = await readFile("/proc/self/uid_map", "utf8");
  const outerUid = findOuterUid({ marker: process.env[OUTER_UID_VARIABLE], uidMap });
  return outerUid === undefined ? { uid, isInNamespace: false } : { uid: outerUid, isInNamespace: true };
}

/** The settings of this process. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>, user: User): Settings {
  const isRoot = user.uid === 0;
  // An empty variable counts as none, as in the XDG specification.
  const read = (name: string): string | undefined => variables[name] || undefined;
  const dataHome = read("XDG_DATA_HOME") ?? join(user.home, ".local", "share");
  const term = read("TERM");
  const dumbTerminal = term === undefined || term === "dumb";
  return Object.freeze({
    storeRoot: resolve(read("STRAKE_ROOT") ?? (isRoot ? "/var/lib/strake" : join(dataHome, "strake"))),
    home: user.home,
    uid: user.uid,
    isInNamespace: user.isInNamespace,
    noColor: read("NO_COLOR") !== undefined || dumbTerminal,
    dumbTerminal,
    progress: read("STRAKE_PROGRESS"),
    sourceDateEpoch: read("SOURCE_DATE_EPOCH"),
    sshAgentSocket: read("SSH_AUTH_SOCK"),
    insecureRegistries: splitList(read("STRAKE_INSECURE_REGISTRIES")),
    registryMirrors: splitList(read("STRAKE_REGISTRY_MIRRORS")),
    registryLog: read("STRAKE_REGISTRY_LOG"),
    retryTimeout: read("STRAKE_RETRY_TIMEOUT"),
    searchPath: read("PATH") ?? DEFAULT_PATH,
    debug: !["", "0", "false"].includes(variables["STRAKE_DEBUG"] ?? ""),
    variables: Object.freeze({ ...variables }),
  });
}

function splitList(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
