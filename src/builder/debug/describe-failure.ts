import type { CopyVertex, ExecMount, ExecVertex, StateVertex, WorkdirVertex } from "../graph/vertex.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import type { MountInputs } from "../solve/mount-key.ts";
import type { State } from "../solve/state.ts";
import type { FailedStep, MountedLayers, Surroundings } from "./failed-step.ts";

/** A RUN that failed, for who wants to enter it. */
export async function describeFailedRun(
  vertex: ExecVertex,
  parent: State,
  inputs: Pick<MountInputs, "layers">,
): Promise<FailedStep> {
  const { argv, network, insecure, shmSizeBytes, ulimits, extraHosts, env, cwd, user } = vertex;
  const mounts = await Promise.all(vertex.mounts.map((mount) => withLayers(mount, inputs)));
  return {
    ...describeStep(vertex, parent),
    env,
    cwd,
    user,
    run: { argv, network, insecure, shmSizeBytes, ulimits, extraHosts, mounts },
  };
}

/** A COPY, ADD or WORKDIR that failed: what is entered is the files it was to change, the way the last RUN saw them. */
export function describeFailedFiles(
  vertex: CopyVertex | WorkdirVertex,
  parent: State,
  images: ReadonlyMap<string, ResolvedImage>,
): FailedStep {
  return { ...describeStep(vertex, parent), ...surroundingsOf(vertex.input, images) };
}

function describeStep(
  { name, at }: CopyVertex | ExecVertex | WorkdirVertex,
  parent: State,
): Pick<FailedStep, "name" | "place" | "layers"> {
  return {
    name,
    ...(at === undefined ? {} : { place: { file: at.file, line: at.startLine } }),
    layers: parent.layers.map(({ diffId }) => diffId),
  };
}

async function withLayers(
  mount: ExecMount,
  inputs: Pick<MountInputs, "layers">,
): Promise<ExecMount<MountedLayers>> {
  if (mount.kind === "bind") {
    const { from, source } = mount;
    return { ...mount, from: { id: from.id, layers: await inputs.layers(from, source) } };
  }
  if (mount.kind === "cache") {
    const { from, ...rest } = mount;
    if (from === undefined) return rest;
    return { ...rest, from: { id: from.id, layers: await inputs.layers(from, mount.source) } };
  }
  return mount;
}

/** What the nearest step or image below says of environment, folder and user; vertices that make files know nothing of them. */
function surroundingsOf(vertex: StateVertex, images: ReadonlyMap<string, ResolvedImage>): Surroundings {
  switch (vertex.kind) {
    case "scratch":
      return { env: [], cwd: "/", user: "" };
    case "image": {
      const config = images.get(vertex.image)?.config.config;
      return { env: config?.Env ?? [], cwd: config?.WorkingDir || "/", user: config?.User ?? "" };
    }
    case "copy":
      return surroundingsOf(vertex.input, images);
    case "workdir":
      return { ...surroundingsOf(vertex.input, images), cwd: vertex.path, user: vertex.user };
    case "exec":
      return { env: vertex.env, cwd: vertex.cwd, user: vertex.user };
    default:
      return vertex satisfies never;
  }
}
