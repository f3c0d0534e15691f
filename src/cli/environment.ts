import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Everything that strake takes from the process's environment, read once; nothing else looks at it. */
export interface Settings {
  /** Folder of the store: `$STRAKE_ROOT`, else /var/lib/strake for root, else `$XDG_DATA_HOME/strake`. */
  readonly storeRoot: string;
  /** Folder with Docker's config.json: `$DOCKER_CONFIG`, else ~/.docker. */
  readonly dockerConfigFolder: string;
  readonly home: string;
  readonly isRoot: boolean;
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
  /** `$STRAKE_DEBUG`: unexpected errors show their stack. */
  readonly debug: boolean;
  /** All variables: for `--build-arg NAME`, `--secret env=NAME`, credentials and proxies, which name their own. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** The settings of this process. */
export function readSettings(
  variables: Readonly<Record<string, string | undefined>> = process.env,
  user: { readonly uid: number; readonly home: string } = { uid: process.geteuid?.() ?? 0, home: homedir() },
): Settings {
  const isRoot = user.uid === 0;
  // An empty variable counts as none, as in the XDG specification.
  const read = (name: string): string | undefined => variables[name] || undefined;
  const dataHome = read("XDG_DATA_HOME") ?? join(user.home, ".local", "share");
  const term = read("TERM");
  const dumbTerminal = term === undefined || term === "dumb";
  return Object.freeze({
    storeRoot: resolve(read("STRAKE_ROOT") ?? (isRoot ? "/var/lib/strake" : join(dataHome, "strake"))),
    dockerConfigFolder: resolve(read("DOCKER_CONFIG") ?? join(user.home, ".docker")),
    home: user.home,
    isRoot,
    noColor: read("NO_COLOR") !== undefined || dumbTerminal,
    dumbTerminal,
    progress: read("STRAKE_PROGRESS"),
    sourceDateEpoch: read("SOURCE_DATE_EPOCH"),
    sshAgentSocket: read("SSH_AUTH_SOCK"),
    debug: !["", "0", "false"].includes(variables["STRAKE_DEBUG"] ?? ""),
    variables: Object.freeze({ ...variables }),
  });
}
