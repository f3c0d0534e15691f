const NAMES: ReadonlySet<string> = new Set(
  (
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP " +
    "TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ"
  ).split(" "),
);

/** Whether a text names a Linux signal: a number other than 0, or a name with or without SIG. */
export function isStopSignal(text: string): boolean {
  if (/^[+-]?[0-9]+$/.test(text)) return Number(text) !== 0;
  const name = text.toUpperCase().replace(/^SIG/, "");
  const [, base, offset] = /^(RTMIN|RTMAX)(?:[+-]([1-9][0-9]?))?$/.exec(name) ?? [];
  if (base === undefined) return NAMES.has(name);
  if (offset === undefined) return true;
  return base === "RTMIN"
    ? name.includes("+") && Number(offset) <= 15
    : name.includes("-") && Number(offset) <= 14;
}
