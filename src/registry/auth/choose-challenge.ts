import { cleanText } from "../redact.ts";
import { unsafeTarget } from "../transport/redirect.ts";
import type { Challenge } from "./challenge.ts";
import { parseScopes, type Scope } from "./scope.ts";

/** How a registry wants to know who we are. */
export type AuthScheme =
  | { readonly kind: "basic" }
  | { readonly kind: "bearer"; readonly realm: URL; readonly service: string | undefined };

export type ChosenChallenge =
  | {
      readonly kind: "usable";
      readonly scheme: AuthScheme;
      /** What the registry says it wanted. */
      readonly scopes: readonly Scope[];
      readonly error: string | undefined;
    }
  | { readonly kind: "unusable"; readonly reason: string };

/**
 * Bearer where it is offered (it also serves those without credentials), else Basic. A realm that would take
 * credentials out of TLS, or from a public registry into a private network, is refused.
 */
export function chooseChallenge(
  challenges: readonly Challenge[],
  registry: { readonly url: URL; readonly insecure: boolean },
): ChosenChallenge {
  let fault: string | undefined;
  for (const challenge of challenges) {
    if (challenge.scheme !== "bearer") continue;
    const realm = challenge.params.get("realm") ?? "";
    fault = realmFault(realm, registry);
    if (fault !== undefined) continue;
    return {
      kind: "usable",
      scheme: { kind: "bearer", realm: new URL(realm), service: challenge.params.get("service") },
      scopes: parseScopes(challenge.params.get("scope") ?? ""),
      error: challenge.params.get("error"),
    };
  }
  if (challenges.some(({ scheme }) => scheme === "basic")) {
    return { kind: "usable", scheme: { kind: "basic" }, scopes: [], error: undefined };
  }
  if (fault !== undefined) return { kind: "unusable", reason: fault };
  const offered = [...new Set(challenges.map(({ scheme }) => scheme))];
  return {
    kind: "unusable",
    reason:
      offered.length === 0
        ? "it asks for credentials without saying how"
        : `it offers only ways to log in that are not known here: ${offered.join(", ")}`,
  };
}

function realmFault(
  realm: string,
  { url, insecure }: { readonly url: URL; readonly insecure: boolean },
): string | undefined {
  if (!URL.canParse(realm) || !/^https?:\/\//i.test(realm)) {
    return `its token server "${cleanText(realm, 200)}" is no http(s) URL`;
  }
  const target = new URL(realm);
  const unsafe = unsafeTarget(url, target);
  if (unsafe === undefined) return undefined;
  if (insecure && target.protocol === "http:" && target.username === "" && target.password === "")
    return undefined;
  return `its token server "${target.protocol}//${target.host}" is not safe to use: ${unsafe}`;
}
