import { cleanText } from "../redact.ts";

/** What a token server grants. */
export interface Token {
  readonly token: string;
  /** As told, within bounds; counted from when the answer came. */
  readonly lifeMs: number;
  readonly refreshToken?: string;
}

export const MAX_TOKEN_BYTES = 128 * 1024;
/** What the token specification says where the server says nothing; also the least that is believed. */
const DEFAULT_LIFE_MS = 60_000;
const MAX_LIFE_MS = 7 * 86_400_000;

/**
 * Reads a token server's answer. `issued_at` is ignored: clocks differ, and the time of arrival is as good.
 * Returns a sentence part about the fault when there is no token in it.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export function decodeToken(content: Uint8Array): Token | { readonly fault: string } {
  const text = Buffer.from(content).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: `no JSON but ${JSON.stringify(cleanText(text, 50))}` };
  }
  if (typeof value !== "object" || value === null) return { fault: "no JSON object" };
  const members = value as Readonly<Record<string, unknown>>;
  const token = [members["token"], members["access_token"]].find(
    (candidate) => typeof candidate === "string" && candidate !== "",
  );
  if (typeof token !== "string") return { fault: "no token" };
  // A header value cannot hold everything that a JSON string can.
  if (!/^[\x21-\x7e]+$/.test(token)) return { fault: "a token with characters that no header may have" };
  const refreshToken = members["refresh_token"];
  return {
    token,
    lifeMs: lifeMs(members["expires_in"]),
    ...(typeof refreshToken === "string" && refreshToken !== "" ? { refreshToken } : {}),
  };
}

function lifeMs(value: unknown): number {
  const seconds = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return DEFAULT_LIFE_MS;
  return Math.min(MAX_LIFE_MS, Math.max(DEFAULT_LIFE_MS, seconds * 1000));
}

/** Until when a token may be sent: some servers allow no leeway, and a request takes time to arrive. */
export function useUntilMs(receivedMs: number, life: number): number {
  return receivedMs + Math.min(0.9 * life, life - 10_000);
}

/** How much life a token must have left before a body is sent with it: a refusal afterwards costs the whole body. */
export function bodyMarginMs(life: number): number {
  return Math.max(Math.min(30_000, 0.5 * life), Math.min(0.25 * life, 120_000));
}
