import type { SourceSpan } from "../../../util/span.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const secretsUsedInArgOrEnv = buildCheck(
  "SecretsUsedInArgOrEnv",
  "Secrets are not put into ARG or ENV, from where everybody who has the image can read them",
  { page: "secrets-used-in-arg-or-env" },
);

const SECRET = words("apikey|auth|credential|credentials|key|password|pword|passwd|secret|token");
/** What makes a name harmless: a public key, a file's name, a version. */
const HARMLESS = words("public|file|version");

/** One of the words between underscores, in any case. */
function words(list: string): RegExp {
  return new RegExp(`(?:_|^)(?:${list})(?:_|$)`, "i");
}

export function checkSecretName(
  instruction: "ARG" | "ENV",
  name: string,
  range: SourceSpan,
  reporter: Reporter,
): void {
  // Case folding: k and s have look-alikes beyond ASCII.
  const folded = name.replaceAll("\u212a", "k").replaceAll("\u017f", "s");
  if (!SECRET.test(folded) || HARMLESS.test(folded)) return;
  reporter.report(
    secretsUsedInArgOrEnv,
    range,
    `${instruction} "${name}" looks like a secret; use RUN --mount=type=secret instead`,
  );
}
