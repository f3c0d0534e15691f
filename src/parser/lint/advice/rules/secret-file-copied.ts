import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { FileView } from "../file-view.ts";
import { findingAt } from "../finding.ts";

export const secretFileCopied = adviceRule("SecretFileCopied", {
  level: "warning",
  description: "A file with credentials that is copied stays in the layer, also when a later step removes it",
  fix: "Let the step that needs it read it with RUN --mount=type=secret, or pass it when the container starts",
  check: findCopied,
});

const SECRET_NAMES = [
  /^\.env(?:\.(?!example$|sample$|template$|tmpl$|dist$|defaults?$|test$|ci$)[\w-]+)?$/,
  /^\.(?:npmrc|pypirc|netrc|git-credentials|dockercfg|pgpass|htpasswd|vault-token)$/,
  /^id_(?:rsa|dsa|ecdsa|ed25519)$/,
  /^\.(?:aws|ssh|kube|gnupg)$/,
  /^(?:credentials|service-account)\.json$/,
];

function* findCopied({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.filter(({ isShipped }) => isShipped).flatMap(({ commands }) => commands)) {
    const { instruction } = command;
    if (instruction.kind !== "COPY" && instruction.kind !== "ADD") continue;
    // What another stage has made is not a file of somebody's.
    if (instruction.kind === "COPY" && instruction.from !== undefined) continue;
    for (const source of instruction.sources) {
      const parts = source.replace(/\/+$/, "").split("/");
      const isSecret =
        parts.some((part) => SECRET_NAMES.some((name) => name.test(part))) ||
        /\.docker\/config\.json$/.test(source);
      if (!isSecret) continue;
      const token = instruction.node.tokens.find(({ value }) => value === source);
      yield findingAt(
        command,
        `"${source}" usually has credentials in it, and stays in the image`,
        token?.range,
      );
    }
  }
}
