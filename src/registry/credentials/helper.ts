import { spawn } from "node:child_process";
import { RegistryError } from "../error.ts";
import { cleanText } from "../redact.ts";
import type { Credentials } from "./types.ts";

const TIMEOUT_MS = 15_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** What helpers say (on standard output) when they have nothing for a registry. */
const NOT_FOUND = /credentials not found|no credentials server url|no credentials username/i;

export interface HelperOptions {
  /** Environment of the helper; its PATH is where the helper is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
}

/** What a helper is asked for, and who asks. */
export interface HelperQuestion {
  readonly serverUrl: string;
  /** The file that names the helper: for messages. */
  readonly namedIn: string;
}

/**
 * Asks `docker-credential-NAME` for the credentials of a server; undefined when it has none.
 * @throws {RegistryError} CREDENTIALS_UNUSABLE
 * @see https://github.com/docker/docker-credential-helpers#development
 */
export async function askHelper(
  helper: string,
  { serverUrl, namedIn }: HelperQuestion,
  options: HelperOptions,
): Promise<Credentials | undefined> {
  const origin = `docker-credential-${helper}`;
  const { code, stdout, stderr } = await runHelper(
    helper,
    { action: "get", input: serverUrl, namedIn },
    options,
  );
  if (code !== 0) {
    if (NOT_FOUND.test(stdout)) return undefined;
    throw unusable({ helper, namedIn }, `${ended(code)}${said(stdout, stderr)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch {
    // Standard output is where a secret would be: only what it complains of is repeated.
    throw unusable({ helper, namedIn }, `its output is not JSON${said("", stderr)}`);
  }
  const { Username, Secret } = (typeof value === "object" && value !== null ? value : {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof Username !== "string" || typeof Secret !== "string")
    throw unusable({ helper, namedIn }, `its output has no Username and Secret${said("", stderr)}`);
  if (Secret === "") return undefined;
  if (Username === "<token>") return { kind: "identity-token", token: Secret, origin };
  return { kind: "password", username: Username, password: Secret, origin };
}

/** Gives credentials into a helper's keeping. @throws {RegistryError} CREDENTIALS_UNUSABLE */
export async function storeInHelper(
  helper: string,
  entry: HelperQuestion & { readonly username: string; readonly secret: string },
  options: HelperOptions,
): Promise<void> {
  const input = JSON.stringify({
    ServerURL: entry.serverUrl,
    Username: entry.username,
    Secret: entry.secret,
  });
  const { namedIn } = entry;
  const { code, stdout, stderr } = await runHelper(helper, { action: "store", input, namedIn }, options);
  if (code !== 0) throw unusable({ helper, namedIn }, `${ended(code)}${said(stdout, stderr)}`);
}

/** Removes a server's credentials from a helper; false when it had none. @throws {RegistryError} CREDENTIALS_UNUSABLE */
export async function eraseFromHelper(
  helper: string,
  { serverUrl, namedIn }: HelperQuestion,
  options: HelperOptions,
): Promise<boolean> {
  const { code, stdout, stderr } = await runHelper(
    helper,
    { action: "erase", input: serverUrl, namedIn },
    options,
  );
  if (code === 0) return true;
  if (NOT_FOUND.test(stdout)) return false;
  throw unusable({ helper, namedIn }, `${ended(code)}${said(stdout, stderr)}`);
}

interface HelperResult {
  /** The status it ended with, or the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

async function runHelper(
  helper: string,
  call: { readonly action: "get" | "store" | "erase"; readonly input: string; readonly namedIn: string },
  options: HelperOptions,
): Promise<HelperResult> {
  // The name comes from a file and becomes part of a program's name.
  const { action, input, namedIn } = call;
  const fail = (fault: string, cause?: unknown): RegistryError => unusable({ helper, namedIn }, fault, cause);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) throw fail("that is no name of a helper");
  const { env, timeoutMs = TIMEOUT_MS } = options;
  return await new Promise<HelperResult>((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, [action], { env, stdio: ["pipe", "pipe", "pipe"] });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(fail(`it did not answer in ${timeoutMs / 1000} s`));
    }, timeoutMs);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= MAX_OUTPUT_BYTES) into.push(chunk);
      else child.kill("SIGKILL");
    };
    child.stdout.on("data", collect(out));
    child.stderr.on("data", collect(err));
    // A helper that ends without reading its input is no fault of its own.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const fault = error.code === "ENOENT" ? "there is no such program" : error.message;
      reject(fail(fault, error));
    });
    child.on("close", (code, by) => {
      clearTimeout(timer);
      resolve({
        code: code ?? by ?? 255,
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: Buffer.concat(err).toString("utf8"),
      });
    });
  });
}

function ended(code: HelperResult["code"]): string {
  return typeof code === "number" ? `it ended with status ${code}` : `it was ended by ${code}`;
}

/** Helpers speak on either; what looks like a secret is not repeated. */
function said(stdout: string, stderr: string): string {
  const text = cleanText(stderr.trim() === "" ? (stdout.trim().startsWith("{") ? "" : stdout) : stderr, 200);
  return text === "" ? "" : ` (${text})`;
}

function unusable(
  { helper, namedIn }: { readonly helper: string; readonly namedIn: string },
  fault: string,
  cause?: unknown,
): RegistryError {
  return new RegistryError(
    "CREDENTIALS_UNUSABLE",
    `Cannot use credential helper docker-credential-${cleanText(helper, 60)}, which ${namedIn} names: ${fault}`,
    {
      cause,
      hint: "Mend the helper, or take it out of that file's credHelpers or credsStore and log in again",
    },
  );
}
