import {
  type Dockerfile,
  DockerfileError,
  type Instruction,
  parseOnbuildTrigger,
  parseRunMounts,
  type RunMount,
} from "../index.ts";
import type { Stage } from "../stage.ts";
import type { JsonObject } from "./json.ts";

/** The second phase's result: ARGs before the first FROM, and stages of typed instructions. */
export function stagesJson({ metaArgs, stages }: Dockerfile): JsonObject {
  return {
    ok: true,
    metaArgs: metaArgs.map((arg) => {
      const { name: _name, rawName: _rawName, ...rest } = commandJson(arg) as JsonObject;
      return rest;
    }),
    stages: stages.map(stageJson),
  };
}

function stageJson(stage: Stage): unknown {
  const { from } = stage;
  return {
    name: stage.name ?? "",
    baseName: stage.baseName,
    platform: stage.platform ?? "",
    startLine: from.node.startLine,
    endLine: from.node.endLine,
    comments: from.comments,
    docComment: stage.docComment,
    origCmd: from.keyword,
    commands: stage.commands.map(commandJson),
  };
}

function commandJson(command: Instruction): unknown {
  return {
    ...triggerJson(command),
    comments: command.comments,
    startLine: command.node.startLine,
    endLine: command.node.endLine,
    ...(command.kind === "ONBUILD" ? { trigger: expressionJson(command.expression) } : {}),
  };
}

function expressionJson(expression: string): unknown {
  try {
    return { ok: true, commands: [triggerJson(parseOnbuildTrigger(expression))] };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return { ok: false, error: error.reason };
  }
}

function triggerJson(command: Instruction): JsonObject {
  return { rawName: command.keyword, ...membersJson(command) };
}

function membersJson(command: Instruction): JsonObject {
  const name = command.keyword.toUpperCase();
  switch (command.kind) {
    case "ADD":
      return {
        name,
        ...pathsJson(command),
        chown: command.chown ?? "",
        chmod: command.chmod ?? "",
        link: command.link,
        exclude: command.exclude,
        checksum: command.checksum ?? "",
        keepGitDir: command.keepGitDir ?? null,
        unpack: command.unpack ?? null,
      };
    case "COPY":
      return {
        name,
        ...pathsJson(command),
        from: command.from ?? "",
        chown: command.chown ?? "",
        chmod: command.chmod ?? "",
        link: command.link,
        parents: command.parents,
        exclude: command.exclude,
      };
    case "ARG":
      return {
        name,
        args: command.args.map(({ key, value, docComment }) => ({ key, value: value ?? null, docComment })),
      };
    case "ENV":
      return { name, env: pairsJson(command.pairs) };
    case "LABEL":
      return { name, labels: pairsJson(command.pairs) };
    case "CMD":
      return { name, ...argvJson(command), files: [] };
    case "ENTRYPOINT":
      return {
        name,
        ...argvJson(command),
        cmdLine: command.argv.length === 0 ? null : command.argv,
        files: [],
      };
    case "RUN":
      return {
        name,
        ...argvJson(command),
        files: command.files,
        devices: command.devices,
        flagsUsed: command.flagsUsed,
        network: command.network,
        security: command.security,
        ...mountsJson(command.mounts),
      };
    case "EXPOSE":
      return { name, ports: command.ports };
    case "HEALTHCHECK":
      return {
        name,
        test: command.test,
        interval: command.intervalNs,
        timeout: command.timeoutNs,
        startPeriod: command.startPeriodNs,
        startInterval: command.startIntervalNs,
        retries: command.retries,
      };
    case "MAINTAINER":
      return { name, maintainer: command.maintainer };
    case "ONBUILD":
      return { name, expression: command.expression };
    case "SHELL":
      return { name, shell: command.shell };
    case "STOPSIGNAL":
      return { name, signal: command.signal };
    case "USER":
      return { name, user: command.user };
    case "VOLUME":
      return { name, volumes: command.volumes };
    case "WORKDIR":
      return { name, path: command.path };
    default:
      return command satisfies never;
  }
}

function pathsJson(command: Extract<Instruction, { kind: "ADD" | "COPY" }>): JsonObject {
  return {
    sources: command.sources,
    dest: command.destination,
    contents: command.contents.map(({ name, data, expand }) => ({ path: name, data, expand })),
  };
}

function pairsJson(pairs: readonly { key: string; value: string; isLegacy?: boolean }[]): unknown {
  return pairs.map(({ key, value, isLegacy }) => ({ key, value, noDelim: isLegacy ?? false }));
}

function argvJson(command: { argv: readonly string[]; isShellForm: boolean }): JsonObject {
  return { cmdLine: command.argv, form: command.isShellForm ? "shell" : "exec" };
}

function mountsJson(values: readonly string[]): JsonObject {
  try {
    return { mounts: parseRunMounts(values, (word) => word).map(mountJson) };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return { mounts: null, mountError: error.reason };
  }
}

function mountJson(mount: RunMount): unknown {
  return {
    type: mount.type,
    from: mount.from ?? "",
    source: mount.source ?? "",
    target: mount.target ?? "",
    readOnly: mount.readonly,
    sizeLimit: mount.sizeBytes ?? 0,
    id: mount.id ?? "",
    sharing: mount.sharing ?? "",
    required: mount.required,
    env: mount.env ?? null,
    mode: mount.mode ?? null,
    uid: mount.uid ?? null,
    gid: mount.gid ?? null,
  };
}
