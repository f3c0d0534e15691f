/** What git is told of the user and of this build. */
export interface GitSettings {
  /** The user's variables; of them git sees PATH, proxies and where certificates are. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The socket of the agent that ssh may ask. */
  readonly sshAgentSocket?: string | undefined;
  /** Where the keys of ssh servers are remembered; absolute. */
  readonly knownHostsFile: string;
  /** For http repositories. */
  readonly authorization?: { readonly scope: string; readonly header: string } | undefined;
}

const PASSED_ON = [
  "PATH",
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

/**
 * Configuration that a repository, or a user's own files, cannot change: no hooks, no helpers, no programs of their
 * choice. Filters (LFS among them) have no definition, so that files stay as they were committed.
 */
const CONFIG: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.logAllRefUpdates", "false"],
  ["credential.helper", ""],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["advice.detachedHead", "false"],
  ["init.defaultBranch", "master"],
  // Something must move within a minute.
  ["http.lowSpeedLimit", "1"],
  ["http.lowSpeedTime", "60"],
];

/**
 * The environment of a git process. It reads no configuration of the user's or the system's, asks no questions, runs
 * no hooks, and talks only the protocols named. Credentials travel here rather than in arguments, which every
 * user of the machine can read.
 * @param protocols `http:https:ssh:git` for what comes from elsewhere, `file` for the store's own repositories
 */
export function gitEnvironment(
  { variables, sshAgentSocket, knownHostsFile, authorization }: GitSettings,
  protocols: "http:https:ssh:git" | "file",
): Record<string, string> {
  const config: readonly (readonly [string, string])[] = [
    ...CONFIG,
    ...(authorization === undefined
      ? []
      : [[`http.${authorization.scope}.extraHeader`, `Authorization: ${authorization.header}`] as const]),
  ];
  const ssh = [
    "ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=30 -o IdentityFile=none",
    // A server's key is taken the first time, and must be the same from then on.
    `-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${shellQuote(sshQuote(knownHostsFile))}`,
  ].join(" ");
  return {
    ...Object.fromEntries(
      PASSED_ON.flatMap((name) => {
        const value = variables[name];
        return value === undefined ? [] : [[name, value] as const];
      }),
    ),
    LC_ALL: "C",
    HOME: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TEMPLATE_DIR: "",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_ALLOW_PROTOCOL: protocols,
    GIT_SSH_COMMAND: ssh,
    GIT_SSH_VARIANT: "ssh",
    ...(sshAgentSocket === undefined ? {} : { SSH_AUTH_SOCK: sshAgentSocket }),
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key] as const,
        [`GIT_CONFIG_VALUE_${index}`, value] as const,
      ]),
    ),
  };
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** In ssh's options several files are apart by blanks, and % begins a token. */
function sshQuote(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}
