/** What a source of ADD or COPY is, judged by its text. */
export type SourceKind = "git" | "http" | "path";

const SCP_STYLE = /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:/;

export function sourceKind(source: string): SourceKind {
  const scheme = /^([a-zA-Z0-9]+):\/\//.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) return isScpStyle(source) ? "git" : "path";
  if (scheme === "ssh" || scheme === "git") return "git";
  if (scheme !== "http" && scheme !== "https") return "path";
  // A repository on a web server is told by its name.
  if (/^[^?#]*\.git(?:$|[?#])/.test(source)) return "git";
  return source.startsWith("http://") || source.startsWith("https://") ? "http" : "path";
}

function isScpStyle(source: string): boolean {
  return SCP_STYLE.test(source) && !source.startsWith("./") && !source.startsWith("../");
}
