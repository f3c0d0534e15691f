import {
  type Dockerfile,
  DockerfileError,
  type Instruction,
  type InstructionNode,
  parseOnbuildTrigger,
  parseRunMounts,
  type RunMount,
  type Stage,
} from "../../src/parser/index.ts";

/*
 * Our results in the form in which the corpus records BuildKit's. Lone surrogates, which stand for bytes that are no
 * UTF-8, are U+FFFD there.
 */

export function recordNode(node: InstructionNode): Record<string, unknown> {
  return {
    ...recordBare(node),
    startLine: node.startLine,
    endLine: node.endLine,
    comments: node.comments,
    heredocs: node.heredocs.map(({ name, content, expand, chomp, fd }) => ({
      name,
      content,
      expand,
      chomp,
      fd,
    })),
  };
}

function recordBare(node: InstructionNode): Record<string, unknown> {
  return {
    instruction: node.name,
    value: node.keyword,
    original: node.original,
    flags: node.flags,
    json: node.json,
    args: node.args,
    onbuild: node.trigger === undefined ? null : recordBare(node.trigger),
  };
}

export function recordInstructions({ metaArgs, stages }: Dockerfile): unknown {
  return {
    ok: true,
    metaArgs: metaArgs.map((arg) => {
      const { name: _name, rawName: _rawName, ...rest } = recordCommand(arg) as Record<string, unknown>;
      return rest;
    }),
    stages: stages.map(recordStage),
  };
}

function recordStage(stage: Stage): unknown {
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
    commands: stage.commands.map(recordCommand),
  };
}

function recordCommand(command: Instruction): unknown {
  return {
    ...recordTrigger(command),
    comments: command.comments,
    startLine: command.node.startLine,
    endLine: command.node.endLine,
    ...(command.kind === "ONBUILD" ? { trigger: recordExpression(command.expression) } : {}),
  };
}

function recordExpression(expression: string): unknown {
  try {
    return { ok: true, commands: [recordTrigger(parseOnbuildTrigger(expression))] };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return { ok: false };
  }
}

function recordTrigger(command: Instruction): Record<string, unknown> {
  return { rawName: command.keyword, ...recordMembers(command) };
}

function recordMembers(command: Instruction): Record<string, unknown> {
  const name = command.keyword.toUpperCase();
  switch (command.kind) {
    case "ADD":
      return {
        name,
        ...recordPaths(command),
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
        ...recordPaths(command),
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
      return { name, env: recordPairs(command.pairs) };
    case "LABEL":
      return { name, labels: recordPairs(command.pairs) };
    case "CMD":
      return { name, ...recordArgv(command), files: [] };
    case "ENTRYPOINT":
      return {
        name,
        ...recordArgv(command),
        cmdLine: command.argv.length === 0 ? null : command.argv,
        files: [],
      };
    case "RUN":
      return {
        name,
        ...recordArgv(command),
        files: command.files,
        devices: command.devices,
        flagsUsed: command.flagsUsed,
        network: command.network,
        security: command.security,
        ...recordMounts(command.mounts),
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

function recordPaths(command: Extract<Instruction, { kind: "ADD" | "COPY" }>): Record<string, unknown> {
  return {
    sources: command.sources,
    dest: command.destination,
    contents: command.contents.map(({ name, data, expand }) => ({ path: name, data, expand })),
  };
}

function recordPairs(pairs: readonly { key: string; value: string; isLegacy?: boolean }[]): unknown {
  return pairs.map(({ key, value, isLegacy }) => ({ key, value, noDelim: isLegacy ?? false }));
}

function recordArgv(command: { argv: readonly string[]; isShellForm: boolean }): Record<string, unknown> {
  return { cmdLine: command.argv, form: command.isShellForm ? "shell" : "exec" };
}

function recordMounts(values: readonly string[]): Record<string, unknown> {
  try {
    return { mounts: parseRunMounts(values, (word) => word).map(recordMount) };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return { mounts: null, mountError: true };
  }
}

function recordMount(mount: RunMount): unknown {
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

/** A copy with U+FFFD for lone surrogates. */
export function wellFormed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
    typeof item === "string" ? item.replace(/[\ud800-\udfff]/gu, "\ufffd") : item,
  );
}
