import { BuildError } from "../../error.ts";
import { redactCredentials } from "../../redact-url.ts";
import type { GitRun } from "./run-git.ts";

/** What git's last words mean for the reader. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/\bgit: not found/, "Install git: apt-get install git"],
  [/ssh: (command )?not found|cannot run ssh/i, "Install ssh: apt-get install openssh-client"],
  [
    /could not read (Username|Password)|Authentication failed|HTTP 40[13]|returned error: 40[13]/i,
    "If the repository is private, give a token: --secret id=GIT_AUTH_TOKEN,env=NAME, or a whole header: --secret id=GIT_AUTH_HEADER,src=FILE",
  ],
  [
    /Permission denied \(publickey/i,
    "The agent given with --ssh has no key that the server takes: see ssh-add -l",
  ],
  [
    /Host key verification failed|HOST IDENTIFICATION HAS CHANGED/i,
    "The server has another key than before: if that is right, remove its line from the file",
  ],
  [
    /repository .* not found|not appear to be a git repository/i,
    "Check the address; a private repository that one may not see is also said not to be there",
  ],
  [
    /Could not resolve host|Failed to connect|Connection refused|timed out|Network is unreachable/i,
    "Check the address and the network; proxies come from HTTPS_PROXY and HTTP_PROXY",
  ],
  [/certificate|SSL/i, "A certificate authority of your own is named with SSL_CERT_FILE or GIT_SSL_CAINFO"],
  [/transport '.*' not allowed/i, "Submodules may come by http, https, ssh and git only"],
];

/** A failed git as an error: what was attempted, then git's own words without credentials. */
export function gitFailure(
  attempt: string,
  run: GitRun,
  details: { readonly hint?: string } = {},
): BuildError {
  const words = gitWords(run.stderr);
  const reason = words === "" ? `git ended with exit code ${run.exitCode}` : words;
  const hint = details.hint ?? HINTS.find(([pattern]) => pattern.test(run.stderr))?.[1];
  return new BuildError("DOWNLOAD_FAILED", `Cannot ${attempt}: ${reason}`, { hint });
}

/** The lines of git's standard error that say what is wrong: in one line, bounded. */
function gitWords(stderr: string): string {
  const lines = redactCredentials(stderr)
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const telling = lines.filter((line) =>
    /^(fatal|error|remote|ssh|sh|[^ ]*@[^ ]*|.*denied|.*failed)/i.test(line),
  );
  const text = (telling.length > 0 ? telling : lines)
    .map((line) => line.replace(/^fatal: /, ""))
    .slice(-4)
    .join("; ");
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
