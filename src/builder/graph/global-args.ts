import { formatPlatform, type Platform } from "../../oci/index.ts";
import { EnvList } from "./env-list.ts";

/** Build arguments that Docker always accepts and passes to RUN without an ARG, and that change no cache key. */
const PROXY_ARGS: ReadonlySet<string> = new Set(
  ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]),
);

/** The ARGs that are there before any instruction: platforms and the target's name. A build argument overrides one. */
export function predefinedArgs(options: {
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly target: string;
  readonly buildArgs: Readonly<Record<string, string>>;
}): EnvList {
  const { buildPlatform: build, targetPlatform: target } = options;
  const values: readonly (readonly [string, string])[] = [
    ["BUILDPLATFORM", formatPlatform(build)],
    ["BUILDOS", build.os],
    ["BUILDOSVERSION", build["os.version"] ?? ""],
    ["BUILDARCH", build.architecture],
    ["BUILDVARIANT", build.variant ?? ""],
    ["TARGETPLATFORM", formatPlatform(target)],
    ["TARGETOS", target.os],
    ["TARGETOSVERSION", target["os.version"] ?? ""],
    ["TARGETARCH", target.architecture],
    ["TARGETVARIANT", target.variant ?? ""],
    ["TARGETSTAGE", options.target === "" ? "default" : options.target],
  ];
  return values.reduce(
    (env, [name, value]) => env.with(name, options.buildArgs[name] ?? value),
    EnvList.empty,
  );
}

/** Proxy variables given as build arguments, in both spellings, as RUN sees them. */
export function proxyEnvironment(buildArgs: Readonly<Record<string, string>>): readonly string[] {
  const env: string[] = [];
  for (const name of Object.keys(buildArgs).sort()) {
    const upper = name.toUpperCase();
    if (!PROXY_ARGS.has(upper)) continue;
    const value = buildArgs[name] ?? "";
    env.push(`${upper}=${value}`, `${upper.toLowerCase()}=${value}`);
  }
  return env;
}
