import { operandsOf } from "../shell/invocation.ts";
import type { CommandView, RunInvocation } from "./file-view.ts";

const APT = new Set(["apt-get", "apt", "aptitude"]);

/** `apt-get update`, `apt update`. */
export function isAptUpdate(invocation: RunInvocation): boolean {
  return APT.has(invocation.program) && subcommandOf(invocation) === "update";
}

/** `apt-get install`, also `build-dep` and the upgrades. */
export function isAptInstall(invocation: RunInvocation): boolean {
  const installing = ["install", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "satisfy"];
  return APT.has(invocation.program) && installing.includes(subcommandOf(invocation));
}

/** The first word that is no flag: `install`. The values of apt's `-o` and `-t` are none either. */
export function subcommandOf({ args }: RunInvocation): string {
  for (let index = 0; index < args.length; index++) {
    const text = args[index]?.text ?? "";
    if (/^-[otc]$|^--(?:option|target-release|config-file|prefix|root)$/.test(text)) index++;
    else if (!text.startsWith("-")) return text;
  }
  return "";
}

/** Whether a RUN removes what is in a folder: `rm -rf FOLDER/*`, `find FOLDER -delete`. */
export function removes({ invocations }: CommandView, folder: string): boolean {
  return invocations.some((invocation) => {
    const { program, args } = invocation;
    const isRemoving =
      program === "rm" ||
      program === "rmdir" ||
      program === "shred" ||
      (program === "find" && args.some(({ text }) => text === "-delete" || text === "rm"));
    return isRemoving && operandsOf(invocation).some(({ text }) => covers(text, folder));
  });
}

/** Whether a pattern takes in a folder: it, what is in it, or what it is in. */
function covers(pattern: string, folder: string): boolean {
  const path = pattern.replace(/\/+$/, "").replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/)/, "/root");
  if (path === "") return false;
  if (path === folder || path.startsWith(`${folder}/`)) return true;
  // Braces as in /var/lib/{apt,dpkg,cache}.
  const braces = /^(.*)\{([^{}]*)\}(.*)$/.exec(path);
  if (braces !== null) {
    return (braces[2] ?? "").split(",").some((each) => covers(`${braces[1]}${each}${braces[3]}`, folder));
  }
  return folder.startsWith(`${path.replace(/\/\*$/, "")}/`);
}

/** Whether a folder, or one above it, is a mount of the RUN that does not go into the layer. */
export function isMounted({ mounts }: CommandView, folder: string): boolean {
  return mounts.some(({ type, target = "" }) => {
    if (type !== "cache" && type !== "tmpfs") return false;
    const path = target.replace(/\/+$/, "");
    return (
      folder === path ||
      folder.startsWith(`${path}/`) ||
      path.startsWith(`${folder}/`) ||
      target.includes("$")
    );
  });
}

/** Whether the invocation may have more flags than can be read: `$APT_OPTIONS`. */
export function hasUnknownFlags({ args }: RunInvocation): boolean {
  return args.some(({ text, isLiteral }) => !isLiteral && /^["']?\$/.test(text));
}
