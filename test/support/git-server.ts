import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** Whether git is installed with the program that serves repositories over http. */
export const hasGit = existsSync(
  join(spawnSync("git", ["--exec-path"], { encoding: "utf8" }).stdout?.trim() ?? "/", "git-http-backend"),
);

/** A fixed identity and time: commits of the same files have the same IDs. */
const IDENTITY = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
  GIT_AUTHOR_DATE: "1700000000 +0000",
  GIT_COMMITTER_DATE: "1700000000 +0000",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

/** Runs git and returns what it printed, without the last newline. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    "git",
    ["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", ...args],
    { cwd, env: { PATH: process.env["PATH"], HOME: cwd, ...IDENTITY } },
  );
  return stdout.trimEnd();
}

/** Writes files and commits them with everything else that changed; returns the commit. */
export async function commitFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  message = "a commit",
): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  await git(folder, "add", "-A");
  await git(folder, "commit", "-q", "--allow-empty", "-m", message);
  return await git(folder, "rev-parse", "HEAD");
}

/** A server of real repositories over http, as GitHub and GitLab are. Disposing stops it and removes its files. */
export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Repositories are folders in here; `NAME/.git` and `NAME` are both served. */
  readonly root: string;
  /** `METHOD path?query`, in the order of arrival. */
  readonly requests: readonly string[];
  /** The Authorization headers that came, each once. */
  readonly authorizations: ReadonlySet<string>;
  /** Makes a repository with a first commit, served as `/NAME.git`; returns the folder of its files. */
  createRepository(name: string, files: Readonly<Record<string, string>>): Promise<string>;
}

/**
 * @param options.authorization the header without which everything is refused
 * @param options.smart false for a server of plain files, which git calls dumb
 */
export async function startGitServer(
  options: { readonly authorization?: string; readonly smart?: boolean } = {},
): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), "strake-git-"));
  const requests: string[] = [];
  const authorizations = new Set<string>();
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const { authorization } = request.headers;
    if (authorization !== undefined) authorizations.add(authorization);
    if (options.authorization !== undefined && authorization !== options.authorization) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end("no\n");
      return;
    }
    answer(root, request, response, options.smart !== false);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    root,
    requests,
    authorizations,
    async createRepository(name, files) {
      const folder = join(root, `${name}.git`);
      await mkdir(folder);
      await git(folder, "init", "-q");
      await commitFiles(folder, files, "the first commit");
      return folder;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Hands a request to `git http-backend`, which is a CGI program. */
function answer(root: string, request: IncomingMessage, response: ServerResponse, smart: boolean): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
  const child = spawn("git", ["-c", "safe.directory=*", "http-backend"], {
    env: {
      PATH: process.env["PATH"],
      ...IDENTITY,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      PATH_INFO: pathname.replace(/^(\/[^/]+\.git)(?=\/)/, "$1/.git"),
      // Without its query, the question for references is the one for a plain file.
      QUERY_STRING: smart ? search.slice(1) : "",
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      REMOTE_USER: "reader",
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  // A client that has what it wants hangs up; that is its right.
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  let head: Buffer | undefined = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const fields = head.subarray(0, end).toString("latin1").split("\r\n");
    const headers = fields.map((field) => field.split(/:\s*/, 2) as [string, string]);
    const status = headers.find(([name]) => name.toLowerCase() === "status")?.[1] ?? "200";
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers));
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  child.once("close", () => response.end());
}
