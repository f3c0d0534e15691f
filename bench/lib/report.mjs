import { cpus, release, totalmem } from "node:os";

export const TABLE_HEAD = [
  "| Workload | strake | Peers | Ratio to the best | strake's memory |",
  "| --- | --- | --- | --- | --- |",
].join("\n");

/** Machine and versions, as two lines for people. */
export function describeMachine(tools) {
  const processors = cpus();
  const gibibytes = Math.round(totalmem() / 1024 ** 3);
  const machine = `${processors.length} cores (${processors[0]?.model.trim()}), ${gibibytes} GiB, Linux ${release()}, Node ${process.version}`;
  const versions = Object.entries(tools).map(([name, tool]) =>
    tool.missing === undefined
      ? `${name} ${tool.version}`
      : `${name} left out (${tool.missing.split("\n")[0]})`,
  );
  return `${machine}\n${versions.join("; ")}`;
}

/** Medians and spreads per tool, and how many times faster than the fastest peer strake is. */
export function summarize(workload, samples, errors) {
  const tools = {};
  for (const [name, all] of Object.entries(samples)) {
    if (errors[name] !== undefined) {
      tools[name] = { error: errors[name] };
      continue;
    }
    const seconds = all.map((sample) => sample.seconds).sort((a, b) => a - b);
    const memory = all.map((sample) => sample.maxRssMib).filter((mib) => mib !== undefined);
    tools[name] = {
      medianSeconds: median(seconds),
      minSeconds: seconds[0],
      maxSeconds: seconds.at(-1),
      ...(memory.length > 0 ? { maxRssMib: Math.max(...memory) } : {}),
      seconds: all.map((sample) => sample.seconds),
    };
  }
  const peers = Object.entries(tools).filter(
    ([name, tool]) => name !== "strake" && tool.medianSeconds !== undefined,
  );
  const best = peers.map(([, tool]) => tool.medianSeconds).sort((a, b) => a - b)[0];
  const own = tools.strake?.medianSeconds;
  return {
    name: workload.name,
    title: workload.title,
    ...(best !== undefined && own !== undefined ? { ratio: best / own } : {}),
    tools,
  };
}

/** A row of the table in docs/performance.md. */
export function formatRow(result) {
  const { strake, ...peers } = result.tools;
  const others = Object.entries(peers).map(([name, tool]) => `${name} ${formatTool(tool)}`);
  const cells = [
    result.title,
    formatTool(strake),
    others.length > 0 ? others.join("; ") : "none installed",
    result.ratio === undefined ? "" : `${result.ratio.toFixed(2)}×`,
    strake.maxRssMib === undefined ? "" : `${Math.round(strake.maxRssMib)} MiB`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function formatTool(tool) {
  if (tool.error !== undefined) return `failed: ${tool.error.replace(/\s+/g, " ").slice(0, 200)}`;
  return `${tool.medianSeconds.toFixed(3)} s (${tool.minSeconds.toFixed(3)}–${tool.maxSeconds.toFixed(3)})`;
}

function median(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
