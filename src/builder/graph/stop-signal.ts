import { BuildError } from "../error.ts";

/** Linux signal names without SIG, as STOPSIGNAL accepts them. */
const NAMES =
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ";

const SIGNALS: ReadonlySet<string> = new Set([...NAMES.split(" "), ...realTimeNames()]);

/**
 * Checks a STOPSIGNAL: a number other than 0, or a name in any case with or without SIG. It is stored as written.
 * @throws {BuildError} DOCKERFILE_INVALID
 */
export function checkStopSignal(text: string): void {
  const isNumber = /^[+-]?[0-9]+$/.test(text);
  const name = text.toUpperCase().replace(/^SIG/, "");
  if (isNumber ? Number(text) !== 0 : SIGNALS.has(name)) return;
  throw new BuildError("DOCKERFILE_INVALID", `invalid signal: ${text}`, {
    hint: "STOPSIGNAL takes a name such as SIGTERM or a number such as 15",
  });
}

function realTimeNames(): readonly string[] {
  const names = ["RTMIN", "RTMAX"];
  for (let n = 1; n <= 15; n++) names.push(`RTMIN+${n}`);
  for (let n = 1; n <= 14; n++) names.push(`RTMAX-${n}`);
  return names;
}
