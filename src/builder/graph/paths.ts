import { posix } from "node:path";

/** A path made absolute against `directory` and cleaned; a trailing slash or `/.` is kept as a slash: it means "into". */
export function absolutePath(path: string, directory: string): string {
  const joined = path.startsWith("/") ? path : `${directory}/${path === "" || path === "." ? "./" : path}`;
  const cleaned = posix.normalize(`/${joined}`).replace(/(.)\/+$/, "$1");
  const isFolder = /(^|\/)\.?$/.test(joined) && cleaned !== "/";
  return isFolder ? `${cleaned}/` : cleaned;
}

/** The same without the trailing slash. */
export function cleanPath(path: string, directory: string): string {
  const absolute = absolutePath(path, directory);
  return absolute === "/" ? absolute : absolute.replace(/\/$/, "");
}
