import type { Dockerfile } from "../../../parser/index.ts";
import { locate } from "./location.ts";
import { tabulate } from "./tabulate.ts";

/** A stage that can be built by name. */
export interface Target {
  readonly name: string;
  readonly default: boolean;
  readonly description: string;
  /** What it is built on, as written. */
  readonly base: string;
  readonly platform: string;
  readonly line: number;
  readonly endLine: number;
}

/** The stages with a name, and the last one, which is built when none is asked for. */
export function listTargets({ stages }: Dockerfile): Target[] {
  return stages.flatMap((stage, index) => {
    const isLast = index === stages.length - 1;
    if (stage.name === undefined && !isLast) return [];
    return {
      name: stage.name ?? "",
      default: isLast,
      description: stage.docComment,
      base: stage.baseName,
      platform: stage.platform ?? "",
      line: stage.from.node.startLine,
      endLine: stage.from.node.endLine,
    };
  });
}

/** As buildx lists them. */
export function formatTargets(targets: readonly Target[]): string {
  const rows = targets.map(({ name, default: isDefault, description }) => {
    const words = [name, ...(isDefault ? ["(default)"] : [])].filter((word) => word !== "");
    return [words.join(" "), description];
  });
  return tabulate([["TARGET", "DESCRIPTION"], ...rows], 1);
}

/** The members that buildx gives them in JSON, where nothing is left out. */
export function targetsToJson(targets: readonly Target[]): Readonly<Record<string, unknown>> {
  const shown = targets.map(({ name, default: isDefault, description, base, platform, ...lines }) => ({
    ...(name === "" ? {} : { name }),
    ...(isDefault ? { default: true } : {}),
    ...(description === "" ? {} : { description }),
    ...(base === "" ? {} : { base }),
    ...(platform === "" ? {} : { platform }),
    ...locate(lines),
  }));
  return { targets: shown };
}
