import { abuseLimitHint } from "../abuse-limit.ts";
import type { Credentials } from "../credentials/types.ts";
import { RegistryError, type RegistryErrorCode } from "../error.ts";
import { decodeErrorBody, describeErrors, MAX_ERROR_BODY_BYTES } from "../error-body.ts";
import { redactUrl } from "../redact.ts";
import { BodyTooLongError, readBody, readBodyStart } from "../transport/exchange.ts";
import { isLoopback } from "../transport/net-address.ts";
import type { Answer } from "../transport/sender.ts";
import { formatScope, type Scope } from "./scope.ts";
import { decodeToken, MAX_TOKEN_BYTES, type Token } from "./token.ts";

const CLIENT_ID = "strake";

export interface TokenRequest {
  readonly registry: string;
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  /** undefined: anonymous. */
  readonly credentials: Credentials | undefined;
  /** From an earlier answer; used instead of the password. */
  readonly refreshToken?: string | undefined;
  /** Ask for a refresh token to store. */
  readonly offline?: boolean | undefined;
}

export type SendToTokenServer = (request: {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}) => Promise<Answer>;

/**
 * Gets a token: by GET with a password or anonymously, by POST with a refresh token; by the other way where the server
 * does not know the first.
 * @throws {RegistryError} UNAUTHORIZED, DENIED, RATE_LIMITED, SERVER_FAILED, REFUSED, BAD_RESPONSE
 * @see https://distribution.github.io/distribution/spec/auth/token/ and https://distribution.github.io/distribution/spec/auth/oauth/
 */
export async function fetchToken(request: TokenRequest, send: SendToTokenServer): Promise<Token> {
  const { credentials, realm } = request;
  const own = credentials?.kind === "identity-token" ? credentials.token : undefined;
  const password = credentials?.kind === "password" ? credentials : undefined;
  const refreshTokens = new Set([request.refreshToken, own].filter((token) => token !== undefined));
  for (const refreshToken of refreshTokens) {
    const answer = await send(
      postRequest(request, { grant_type: "refresh_token", refresh_token: refreshToken }),
    );
    // Servers that have only the older way say so in many ways; with a password it can be tried. What came in an identity
    // token's place may have ended before it.
    const isLast = password === undefined && (own === undefined || refreshToken === own);
    if (answer.status === 200 || isLast) return await readToken(answer, request);
    answer.body.discard();
  }
  const answer = await send(getRequest(request));
  const canPost = password !== undefined && (realm.protocol === "https:" || isLoopback(realm.host));
  if ((answer.status !== 404 && answer.status !== 405) || !canPost) return await readToken(answer, request);
  answer.body.discard();
  const { username } = password;
  return await readToken(
    await send(postRequest(request, { grant_type: "password", username, password: password.password })),
    request,
  );
}

function getRequest({
  realm,
  service,
  scopes,
  credentials,
  offline,
}: TokenRequest): Parameters<SendToTokenServer>[0] {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.append("service", service);
  for (const scope of scopes) url.searchParams.append("scope", formatScope(scope));
  const headers: Record<string, string> = { accept: "application/json" };
  if (credentials?.kind === "password") {
    url.searchParams.append("account", credentials.username);
    headers["authorization"] = basicHeader(credentials);
    if (offline === true) {
      url.searchParams.append("offline_token", "true");
      url.searchParams.append("client_id", CLIENT_ID);
    }
  }
  return { method: "GET", url, headers };
}

function postRequest(
  { realm, service, scopes, offline }: TokenRequest,
  grant: Readonly<Record<string, string>>,
): Parameters<SendToTokenServer>[0] {
  const form = new URLSearchParams({ ...grant, client_id: CLIENT_ID });
  if (service !== undefined) form.set("service", service);
  if (scopes.length > 0) form.set("scope", scopes.map(formatScope).join(" "));
  if (offline === true) form.set("access_type", "offline");
  return {
    method: "POST",
    url: realm,
    headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
    body: Buffer.from(form.toString()),
  };
}

export function basicHeader({
  username,
  password,
}: {
  readonly username: string;
  readonly password: string;
}): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function readToken(answer: Answer, request: TokenRequest): Promise<Token> {
  const { registry, realm } = request;
  const server = redactUrl(realm);
  const details = {
    registry,
    url: server,
    status: answer.status,
    credentialOrigin: request.credentials?.origin ?? "anonymous",
  };
  if (answer.status !== 200) {
    const content = await readBodyStart(answer.body, MAX_ERROR_BODY_BYTES);
    const errors = decodeErrorBody(content);
    const said = describeErrors(errors);
    // OAuth2 has no status of its own for a refresh token that has ended.
    const status = errors.some(({ code }) => code === "INVALID_GRANT") ? 401 : answer.status;
    throw new RegistryError(
      codeOf(status),
      `Cannot get a token for ${registry}: ${server} answered ${answer.status}${said === "" ? "" : ` (${said})`}`,
      { ...details, errors, hint: abuseLimitHint(answer, content) ?? hintFor(status, request) },
    );
  }
  let content: Uint8Array;
  try {
    content = await readBody(answer.body, MAX_TOKEN_BYTES);
  } catch (error) {
    if (!(error instanceof BodyTooLongError)) throw error;
    throw new RegistryError(
      "BAD_RESPONSE",
      `Cannot get a token for ${registry}: ${server} sent ${error.message}`,
      details,
    );
  }
  const token = decodeToken(content);
  if (!("fault" in token)) return token;
  throw new RegistryError(
    "BAD_RESPONSE",
    `Cannot get a token for ${registry}: ${server} sent ${token.fault}`,
    details,
  );
}

function codeOf(status: number): RegistryErrorCode {
  if (status === 401) return "UNAUTHORIZED";
  if (status === 403) return "DENIED";
  if (status === 429) return "RATE_LIMITED";
  return status >= 500 ? "SERVER_FAILED" : "REFUSED";
}

function hintFor(status: number, { credentials, registry, scopes }: TokenRequest): string | undefined {
  if (status !== 401 && status !== 403) return undefined;
  const wanted = scopes.map(formatScope).join(" ");
  if (credentials === undefined) {
    return `What is asked for (${wanted}) does not exist or is not public. If it is yours, log in: strake login ${registry}`;
  }
  return `The credentials from ${credentials.origin} were refused for ${wanted === "" ? registry : wanted}; log in again: strake login ${registry}`;
}
