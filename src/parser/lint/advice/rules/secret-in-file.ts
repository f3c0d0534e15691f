import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";

export const secretInFile = adviceRule("SecretInFile", {
  level: "error",
  description:
    "What is written in a Dockerfile is in the history of the image and of the repository, for everybody to read",
  fix: "Revoke it, and pass the new one with RUN --mount=type=secret and --secret",
  check: findSecrets,
});

/** Texts that are secrets by their form: each has a prefix of its own and a fixed length or alphabet. */
const KINDS: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  { kind: "an AWS access key", pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  { kind: "a GitHub token", pattern: /\bgh[pousr]_[A-Za-z0-9]{36}\b/g },
  { kind: "a GitHub token", pattern: /\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b/g },
  { kind: "a GitLab token", pattern: /\bglpat-[A-Za-z0-9_-]{20}\b/g },
  { kind: "a Slack token", pattern: /\bxox[abeoprs]-\d{8,}-[A-Za-z0-9-]{10,}/g },
  { kind: "a Stripe key", pattern: /\b[rs]k_live_[A-Za-z0-9]{24,}\b/g },
  { kind: "a Google API key", pattern: /\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g },
  { kind: "an npm token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { kind: "a Docker token", pattern: /\bdckr_pat_[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])/g },
  { kind: "a PyPI token", pattern: /\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}/g },
  { kind: "a SendGrid key", pattern: /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g },
  { kind: "a Hugging Face token", pattern: /\bhf_[A-Za-z0-9]{34}\b/g },
  { kind: "a private key", pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/g },
  // The password alone: a variable, a placeholder or stars there are none.
  {
    kind: "a password in a URL",
    pattern: /(?<=\b[a-z][a-z0-9+.-]{1,14}:\/\/[^\s/:@"'$<{]{1,64}:)[^\s/:@"'$<{*]{3,}(?=@[\w.-]+)/g,
  },
];

/** Words that stand for a secret in documentation. */
const PLACEHOLDER =
  /example|placeholder|changeme|your|xxxx|dummy|redacted|^pass(?:word|wd)?$|^secret$|^token$|^user$/i;

function* findSecrets({ dockerfile: { source, stages, metaArgs } }: FileView): Generator<AdviceFinding> {
  const instructions = [...metaArgs, ...stages.flatMap(({ from, commands }) => [from, ...commands])];
  for (const { node, comments } of instructions) {
    const text = source.text.slice(node.extent.start, node.extent.end);
    for (const { kind, pattern } of KINDS) {
      for (const match of text.matchAll(pattern)) {
        if (PLACEHOLDER.test(match[0])) continue;
        const start = node.extent.start + match.index;
        yield {
          message: `This looks like ${kind}`,
          range: { start, end: start + match[0].length },
          comments,
          isSecret: true,
        };
      }
    }
  }
}
