import { DockerfileError, type Instruction, parseDockerfile } from "../../parser/index.ts";
import { BuildError } from "../error.ts";
import type { ConfigInstruction } from "./config-edit.ts";

/** In front of the text, so that it is a stage. */
const FROM = "FROM scratch\n";

/**
 * Reads instructions of a Dockerfile that change the config, as `docker commit --change` takes them.
 * @param flag what they were given with, for messages
 * @throws {BuildError} DOCKERFILE_INVALID
 */
export function parseChange(text: string, flag: string = "--change"): readonly ConfigInstruction[] {
  const shown = `${flag} ${JSON.stringify(text)}`;
  let stages: ReturnType<typeof parseDockerfile>["stages"];
  try {
    stages = parseDockerfile(`${FROM}${text}`, { filename: flag }).stages;
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    throw new BuildError("DOCKERFILE_INVALID", `Cannot use ${shown}: ${error.reason}`, { hint: error.hint });
  }
  const [stage, second] = stages;
  const commands = stage?.commands ?? [];
  if (second !== undefined) throw refused(shown, "FROM");
  if (commands.length === 0)
    throw new BuildError("DOCKERFILE_INVALID", `Cannot use ${shown}: it has no instruction`, { hint: HINT });
  return commands.map((instruction) => {
    if (isConfigInstruction(instruction)) return instruction;
    throw refused(shown, instruction.kind);
  });
}

/** Reads a command as CMD and ENTRYPOINT take it: a JSON list, or else a line for a shell; nothing is an empty list. */
export function parseCommand(keyword: "CMD" | "ENTRYPOINT", text: string, flag: string): ConfigInstruction {
  const [instruction, second] = parseChange(`${keyword} ${text.trim() === "" ? "[]" : text}`, flag);
  if (instruction === undefined || second !== undefined || instruction.kind !== keyword)
    throw new BuildError(
      "DOCKERFILE_INVALID",
      `Cannot use ${flag} ${JSON.stringify(text)}: it is no single line`,
    );
  return instruction;
}

const KINDS: Readonly<Record<ConfigInstruction["kind"], true>> = {
  CMD: true,
  ENTRYPOINT: true,
  ENV: true,
  EXPOSE: true,
  HEALTHCHECK: true,
  LABEL: true,
  MAINTAINER: true,
  ONBUILD: true,
  SHELL: true,
  STOPSIGNAL: true,
  USER: true,
  VOLUME: true,
  WORKDIR: true,
};
const HINT = `Instructions that change nothing but the config can be used: ${Object.keys(KINDS).join(", ")}`;

function isConfigInstruction(instruction: Instruction): instruction is ConfigInstruction {
  return Object.hasOwn(KINDS, instruction.kind);
}

function refused(shown: string, kind: string): BuildError {
  return new BuildError("DOCKERFILE_INVALID", `Cannot use ${shown}: ${kind} takes a build`, { hint: HINT });
}
