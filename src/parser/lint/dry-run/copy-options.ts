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
  return sourceKind(only) === "path" ? "checksum requires HTTP(S) or Git sources" : undefined;
}
