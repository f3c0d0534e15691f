import { fileURLToPath } from "node:url";
import { execute } from "./measure.mjs";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** How each tool says its version and that it works; docker only counts with its daemon. */
const PROBES = {
  strake: { version: ["--version"] },
  docker: { version: ["version", "--format", "{{.Server.Version}}"], hint: "its daemon does not answer" },
  buildah: { version: ["--version"] },
  crane: { version: ["version"] },
  skopeo: { version: ["--version"] },
};

/**
 * The tools by name: `command` (argv that starts it) and `version`, or `missing` with the reason.
 * `commands` overrides how one is started, as a line of words.
 */
export async function findTools(commands) {
  const unknown = Object.keys(commands).filter((name) => PROBES[name] === undefined);
  if (unknown.length > 0) throw new Error(`unknown tool: ${unknown.join(", ")}`);
  const found = await Promise.all(
    Object.entries(PROBES).map(async ([name, probe]) => {
      const command = commands[name]?.split(" ") ?? (name === "strake" ? [process.execPath, CLI] : [name]);
      try {
        const output = await execute([...command, ...probe.version]);
        return [name, { command, version: /\d+\.\d[^\s,]*/.exec(output)?.[0] ?? "of unknown version" }];
      } catch (error) {
        return [
          name,
          { command, missing: error.code === "ENOENT" ? "not installed" : (probe.hint ?? error.message) },
        ];
      }
    }),
  );
  const tools = Object.fromEntries(found);
  if (tools.strake.missing !== undefined)
    throw new Error(`strake does not start (npm run build?): ${tools.strake.missing}`);
  return tools;
}
