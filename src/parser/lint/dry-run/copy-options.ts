import { sourceKind } from "./remote-source.ts";

const SYMBOLIC_MODE = /^[ugoa]*(?:[-+=][rwxXstugo]*)+(?:,[ugoa]*(?:[-+=][rwxXstugo]*)+)*$/;

/** @returns what is wrong with a `--chmod`, if something is */
export function chmodProblem(chmod: string): string | undefined {
  if (chmod === "" || SYMBOLIC_MODE.test(chmod)) return undefined;
  const isOctal = /^[0-7]+$/.test(chmod) && Number.parseInt(chmod, 8) <= 0o7777;
  if (isOctal) return undefined;
  return /^[0-9]/.test(chmod)
    ? `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`
    : `invalid chmod parameter: '${chmod}'. it should be an octal number, or like u=rwX,go=rX`;
}

/** @returns what is wrong with a `--checksum` for these sources, if something is */
export function checksumProblem(checksum: string, sources: readonly string[]): string | undefined {
  if (checksum === "") return undefined;
  const [only] = sources;
  if (sources.length !== 1 || only === undefined) return "checksum can't be specified for multiple sources";
  const kind = sourceKind(only);
  if (kind === "path") return "checksum requires HTTP(S) or Git sources";
  return kind === "http" ? digestProblem(checksum) : undefined;
}

/** Digits in hexadecimal by algorithm, as in {@link https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests}. */
const DIGEST_DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

function digestProblem(digest: string): string | undefined {
  const [, algorithm = "", encoded = ""] =
    /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(digest) ?? [];
  if (algorithm === "") return "invalid checksum digest format";
  const digits = DIGEST_DIGITS[algorithm];
  if (digits === undefined) return "unsupported digest algorithm";
  if (encoded.length !== digits) return "invalid checksum digest length";
  return /^[a-f0-9]+$/.test(encoded) ? undefined : "invalid checksum digest format";
}
