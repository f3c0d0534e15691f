import { spawnSync } from "node:child_process";
import { createSign, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import type { RegistryServerOptions } from "./registry-server.ts";

export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

export interface TokenCall {
  readonly method: string;
  readonly scopes: readonly string[];
  /** `user:password`, `refresh:TOKEN`, or undefined for anonymous. */
  readonly who: string | undefined;
  readonly params: URLSearchParams;
}

/** What the issuer answers: actions granted per scope, or an error, or anything at all. */
export type TokenPolicy = (call: TokenCall) => {
  readonly status?: number;
  readonly body?: unknown;
  /** Scopes that the token carries; those asked for when absent. */
  readonly grant?: readonly string[];
  readonly lifeSeconds?: number;
  readonly extra?: Readonly<Record<string, unknown>>;
};

export interface TokenIssuer extends AsyncDisposable {
  readonly realm: string;
  readonly calls: TokenCall[];
  policy: TokenPolicy;
  /** Configuration that makes a registry trust this issuer. */
  readonly registryOptions: RegistryServerOptions;
}

/** A token server whose tokens a real registry accepts. `folder` gets its key and certificate. */
export async function startIssuer(folder: string): Promise<TokenIssuer> {
  const keyFile = join(folder, "issuer.key");
  const certFile = join(folder, "issuer.crt");
  const made = spawnSync("openssl", [
    ..."req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=issuer -keyout".split(" "),
    keyFile,
    "-out",
    certFile,
  ]);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  const key = await readFile(keyFile, "utf8");
  const x5c = (await readFile(certFile, "utf8")).replace(/-----[^-]*-----|\s/g, "");
  const calls: TokenCall[] = [];
  const issuer = {
    calls,
    policy: (() => ({})) as TokenPolicy,
  };
  const server = createServer((request, response) => {
    void (async () => {
      const call = await readCall(request);
      calls.push(call);
      const { status = 200, body, grant = call.scopes, lifeSeconds = 300, extra } = issuer.policy(call);
      response.writeHead(status, { "content-type": "application/json" });
      if (body !== undefined) {
        response.end(typeof body === "string" ? body : JSON.stringify(body));
        return;
      }
      if (status !== 200) {
        response.end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "refused by the test" }] }));
        return;
      }
      response.end(JSON.stringify({ token: sign(grant, lifeSeconds), expires_in: lifeSeconds, ...extra }));
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const realm = `http://127.0.0.1:${address.port}/token`;

  function sign(scopes: readonly string[], lifeSeconds: number): string {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type, ...rest] = scope.split(":");
      const actions = (rest.pop() ?? "").split(",").filter((action) => action !== "");
      return { type, name: rest.join(":"), actions };
    });
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      iss: "test-issuer",
      sub: "someone",
      aud: "test-service",
      exp: now + lifeSeconds,
      nbf: now - 5,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const head = `${encode({ typ: "JWT", alg: "RS256", x5c: [x5c] })}.${encode(claims)}`;
    return `${head}.${createSign("RSA-SHA256").update(head).sign(key).toString("base64url")}`;
  }

  return Object.assign(issuer, {
    realm,
    registryOptions: {
      extra: `auth: {token: {realm: ${JSON.stringify(realm)}, service: test-service, issuer: test-issuer, rootcertbundle: ${JSON.stringify(certFile)}}}`,
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

async function readCall(request: IncomingMessage): Promise<TokenCall> {
  const url = new URL(request.url ?? "/", "http://issuer");
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const params =
    request.method === "POST" ? new URLSearchParams(Buffer.concat(chunks).toString()) : url.searchParams;
  const scopes = params.getAll("scope").flatMap((scope) => scope.split(" "));
  const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? "")?.[1];
  const who =
    basic !== undefined
      ? Buffer.from(basic, "base64").toString()
      : params.get("grant_type") === "refresh_token"
        ? `refresh:${params.get("refresh_token")}`
        : params.get("grant_type") === "password"
          ? `${params.get("username")}:${params.get("password")}`
          : undefined;
  return { method: request.method ?? "", scopes, who, params };
}
