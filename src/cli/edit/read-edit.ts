import {
  type ConfigEdit,
  editConfig,
  parseChange,
  parseCommand,
  type TreeEdit,
} from "../../builder/edit/index.ts";
import type { ImageConfig, ImageFormat } from "../../oci/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { splitPair } from "../args/values.ts";
import { parseAnnotation } from "../build/build-options.ts";
import type { CommandContext } from "../command.ts";
import { usageError } from "../error.ts";
import { parseFormat } from "../images/image-format.ts";
import { parsePlatformFlag, parsePlatformFlags } from "../registry/platform-flag.ts";
import type { EditFlags } from "./edit-flags.ts";

/** What the flags of `edit` ask for, but for what has to be opened. */
export interface EditRequest extends Omit<TreeEdit, "layers" | "rebase"> {
  readonly format: ImageFormat | undefined;
}

/** @throws {CliError} USAGE, also when nothing is asked for */
export function readEdit(flags: EditFlags, context: Pick<CommandContext, "settings" | "now">): EditRequest {
  const { platform, format } = flags;
  const platforms = parsePlatformFlags(platform);
  const request: EditRequest = {
    config: readConfigEdits(flags, context),
    annotations: flags.annotation.flatMap(parseAnnotation),
    removedAnnotations: flags["annotation-rm"].flatMap(parseRemovedAnnotation),
    created: flags.created === undefined ? undefined : readTime(flags.created, context),
    platform: parsePlatformFlag(flags["set-platform"]),
    platforms: platforms.length === 0 ? undefined : platforms,
    format: format === undefined ? undefined : parseFormat(format),
  };
  const asksForNothing =
    request.config.length === 0 &&
    request.annotations.length === 0 &&
    request.removedAnnotations.length === 0 &&
    flags.append.length === 0 &&
    !isRebase(flags) &&
    [request.created, request.platform, request.format].every((each) => each === undefined);
  // What is wrong whatever the image is said before anything is fetched; an instruction's variables are the image's.
  const plain = request.config.filter(({ kind }) => kind !== "instruction");
  asUsage(() => editConfig(NO_IMAGE, plain));
  if (asksForNothing)
    throw usageError(
      "There is nothing to edit: no flag says what to change",
      "strake edit --help lists them",
    );
  return request;
}

const NO_IMAGE: ImageConfig = {
  os: "linux",
  architecture: "amd64",
  rootfs: { type: "layers", diff_ids: [] },
};

/** Whether the image is to be put onto another base. */
export function isRebase(flags: EditFlags): boolean {
  return flags.rebase || flags["old-base"] !== undefined || flags["new-base"] !== undefined;
}

/** Removals come first, so that what is set stays; instructions last, in their order. */
function readConfigEdits(
  flags: EditFlags,
  { settings }: Pick<CommandContext, "settings">,
): readonly ConfigEdit[] {
  const removals = (kind: Extract<ConfigEdit, { readonly name: string }>["kind"], names: readonly string[]) =>
    names.map((name) => ({ kind, name }) as ConfigEdit);
  const values = (kind: "port" | "volume", list: readonly string[]): readonly ConfigEdit[] =>
    list.map((value) => ({ kind, value }));
  const value = (
    kind: "user" | "workdir" | "stop-signal",
    text: string | undefined,
  ): readonly ConfigEdit[] => (text === undefined ? [] : [{ kind, value: text }]);
  const command = (keyword: "CMD" | "ENTRYPOINT", flag: string, text: string | undefined) =>
    text === undefined
      ? []
      : [{ kind: "instruction" as const, instruction: asUsage(() => parseCommand(keyword, text, flag)) }];
  return [
    ...removals("remove-env", flags["env-rm"]),
    ...removals("remove-label", flags["label-rm"]),
    ...removals("remove-port", flags["expose-rm"]),
    ...removals("remove-volume", flags["volume-rm"]),
    ...flags.env.map((text) => readEnv(text, settings.variables)),
    ...flags.label.map(readLabel),
    ...value("user", flags.user),
    ...value("workdir", flags.workdir),
    ...command("ENTRYPOINT", "--entrypoint", flags.entrypoint),
    ...command("CMD", "--cmd", flags.cmd),
    ...values("port", flags.expose),
    ...values("volume", flags.volume),
    ...value("stop-signal", flags["stop-signal"]),
    ...flags.change.flatMap((text) =>
      asUsage(() => parseChange(text)).map((instruction) => ({ kind: "instruction" as const, instruction })),
    ),
  ];
}

function readEnv(text: string, variables: Readonly<Record<string, string | undefined>>): ConfigEdit {
  const { key: name, value = variables[text] } = splitPair(text);
  if (name === "") throw usageError(`Cannot read --env "${text}": it has no name`, "Write NAME=VALUE");
  if (value === undefined)
    throw usageError(`Cannot read --env "${text}": there is no such variable here`, "Write NAME=VALUE");
  return { kind: "env", name, value };
}

function readLabel(text: string): ConfigEdit {
  const { key: name, value = "" } = splitPair(text);
  if (name === "") throw usageError(`Cannot read --label "${text}": it has no key`, "Write KEY=VALUE");
  return { kind: "label", name, value };
}

/** The key alone, with the same places in front as where it is set. */
function parseRemovedAnnotation(text: string) {
  if (text.includes("="))
    throw usageError(`Cannot read --annotation-rm "${text}": it has a value`, "Write the key alone");
  return parseAnnotation(`${text}=`);
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** As the config has it. */
function readTime(text: string, { settings, now }: Pick<CommandContext, "settings" | "now">): string {
  const given = text === "SOURCE_DATE_EPOCH" ? (settings.sourceDateEpoch ?? "") : text;
  if (RFC_3339.test(given) && !Number.isNaN(Date.parse(given))) return given;
  if (given === "now") return new Date(now()).toISOString();
  const time = /^\d{1,12}$/.test(given) ? new Date(Number(given) * 1000) : undefined;
  if (time !== undefined && !Number.isNaN(time.getTime())) return time.toISOString().replace(".000Z", "Z");
  throw usageError(
    `Cannot read --created "${text}" as a time`,
    "Write 2026-01-31T12:00:00Z, seconds since 1970, or now",
  );
}
