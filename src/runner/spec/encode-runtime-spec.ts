import type { RuntimeSpec } from "./oci-runtime.ts";

/**
 * The text of config.json. RLIM_INFINITY is 2^64-1, which no JavaScript number holds: the -1 that stands for it
 * (`UNLIMITED`) is written out in digits here. A string can't contain the pattern, as its quotes are escaped.
 */
export function encodeRuntimeSpec(spec: RuntimeSpec): string {
  return JSON.stringify(spec).replace(/"(soft|hard)":-1(?=[,}])/g, '"$1":18446744073709551615');
}
