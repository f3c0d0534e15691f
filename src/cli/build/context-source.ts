import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { splitContextName } from "../../builder/graph/named-context.ts";
import type { ContextSource } from "../../builder/types.ts";
import { parsePlatform, parseReference } from "../../oci/index.ts";
import { CliError, usageError } from "../error.ts";

// What Docker takes for a remote context: a URL, or one of git's short spellings.
const REMOTE = /^(?:(?:https?|git|ssh):\/\/|[\w-]+@[A-Za-z0-9.-]+:|github\.com\/)/i;
const BY_SSH = /^(?:ssh:\/\/|[\w-]+@[A-Za-z0-9.-]+:)/i;

/** Whether a context is fetched from elsewhere rather than read from a folder here. */
export function isRemoteContext(text: string): boolean {
  return REMOTE.test(text);
}

/** Whether a remote context is fetched by ssh, with the keys of an agent. */
export function isSshContext(text: string): boolean {
  return BY_SSH.test(text);
}

/** Whether a Dockerfile is downloaded. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/**
 * `--build-context NAME=VALUE`, `NAME::PLATFORM=VALUE`.
 * @param cwd what relative folders are relative to
 * @throws {CliError} USAGE
 */
export function parseBuildContext(
  text: string,
  cwd: string,
): { readonly name: string; readonly source: ContextSource } {
  const equals = text.indexOf("=");
  if (equals < 1 || equals === text.length - 1) {
    throw usageError(`Cannot read --build-context "${text}"`, "Write NAME=SOURCE");
  }
  const value = text.slice(equals + 1);
  const name = text.slice(0, equals);
  checkContextName(name);
  return { name, source: parseSource(value, cwd) };
}

/** A name that no stage, image or platform can have would never be used. In Docker's words. */
function checkContextName(text: string): void {
  const { name, platform } = splitContextName(text);
  try {
    parseReference(name);
    if (platform !== undefined) parsePlatform(platform);
  } catch (error) {
    throw usageError(
      `invalid context name ${text}: ${error instanceof Error ? error.message : String(error)}`,
      "A context is called like a stage or an image, in lower case; NAME::PLATFORM is one for that platform alone",
    );
  }
}

/** Makes sure that a named context that is a folder is one. @throws {CliError} INPUT_UNUSABLE */
export async function checkContextFolder(name: string, source: ContextSource): Promise<void> {
  if (source.kind !== "dir") return;
  const found = await stat(source.path).catch((error: NodeJS.ErrnoException) => error);
  if (!(found instanceof Error) && found.isDirectory()) return;
  const reason = !(found instanceof Error)
    ? "it is no folder"
    : found.code === "ENOENT"
      ? "there is no such folder"
      : found.message;
  throw new CliError("INPUT_UNUSABLE", `Cannot use build context "${name}", "${source.path}": ${reason}`, {
    hint: "A source is a folder, docker-image://NAME, oci-layout://DIR[:TAG], a git repository or a URL",
    cause: found instanceof Error ? found : undefined,
  });
}

function parseSource(value: string, cwd: string): ContextSource {
  if (value.startsWith("docker-image://")) {
    return { kind: "docker-image", reference: value.slice("docker-image://".length) };
  }
  if (value.startsWith("oci-layout://")) return parseLayout(value.slice("oci-layout://".length), cwd);
  if (isRemoteContext(value)) return { kind: "url", url: value };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(value);
  if (scheme !== null) {
    throw usageError(
      `Cannot use build context "${value}": "${scheme[1]}" is no kind of source`,
      "A source is a folder, docker-image://NAME, oci-layout://DIR[:TAG], a git repository or a URL",
    );
  }
  return { kind: "dir", path: resolve(cwd, value) };
}

/** `DIR`, `DIR:tag`, `DIR@sha256:…`, `DIR:tag@sha256:…`; a digest makes the tag say nothing. */
function parseLayout(text: string, cwd: string): ContextSource {
  const [, folder = "", tag, digest] =
    /^(.*?)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([a-z0-9]+:[0-9a-f]+))?$/s.exec(text) ?? ["", text];
  if (folder === "") throw usageError(`Cannot use build context "oci-layout://${text}": it names no folder`);
  const reference = digest ?? tag;
  const path = resolve(cwd, folder);
  return reference === undefined ? { kind: "oci-layout", path } : { kind: "oci-layout", path, reference };
}
