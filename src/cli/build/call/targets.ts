import type { Dockerfile } from "../../../parser/index.ts";
import { formatTable } from "../../tables/table.ts";

/** A stage that can be built by name. */
export interface Target {
  readonly name: string;
  readonly default: boolean;
  readonly description: string;
  /** What it is built on, as written. */
  readonly base: string;
  readonly platform: string;
  readonly line: number;
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
      line: stage.at.startLine,
    };
  });
}

/** As BuildKit lists them. */
export function formatTargets(targets: readonly Target[]): string {
  const rows = targets.map((target) => {
    const words = [target.name, ...(target.default ? ["(default)"] : [])].filter((word) => word !== "");
    return [words.join(" "), target.description];
  });
  return formatTable(["TARGET", "DESCRIPTION"], rows);
}
