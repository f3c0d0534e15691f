import type { InstructionNode } from "../ast.ts";
import { toUpperSimple } from "../text/case.ts";
import type { InstructionBase } from "./base.ts";
import type { Complaint } from "./complaint.ts";
import { parseDuration } from "./duration.ts";
import type { Reading } from "./reading.ts";

/** Durations in nanoseconds, as the image config has them; 0 means the engine's default. */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: "HEALTHCHECK";
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`. */
  readonly test: readonly string[];
  readonly intervalNs: number;
  readonly timeoutNs: number;
  readonly startPeriodNs: number;
  readonly startIntervalNs: number;
  readonly retries: number;
}

const FLAGS = {
  interval: "string",
  timeout: "string",
  "start-period": "string",
  "start-interval": "string",
  retries: "string",
} as const;

const MINIMUM_NS = 1_000_000n;

export function readHealthcheck(reading: Reading): HealthcheckInstruction {
  const defaults = { intervalNs: 0, timeoutNs: 0, startPeriodNs: 0, startIntervalNs: 0, retries: 0 };
  // With NONE, BuildKit does not even look at the flags.
  if (reading.has("none")) return { kind: "HEALTHCHECK", ...reading.base(), test: ["NONE"], ...defaults };
  const flags = reading.flags(FLAGS);
  return {
    kind: "HEALTHCHECK",
    ...reading.base(),
    test: reading.node.json ? ["CMD", ...reading.texts("argv")] : ["CMD-SHELL", reading.text("text")],
    intervalNs: readInterval(reading, "interval", flags.interval),
    timeoutNs: readInterval(reading, "timeout", flags.timeout),
    startPeriodNs: readInterval(reading, "start-period", flags["start-period"]),
    startIntervalNs: readInterval(reading, "start-interval", flags["start-interval"]),
    retries: readRetries(reading, flags.retries),
  };
}

function readInterval(reading: Reading, flag: string, value: string | undefined): number {
  if (value === undefined || value === "") return 0;
  const duration = parseDuration(value);
  if (typeof duration === "string") {
    throw complain(reading, flag, duration, `Write --${flag}=30s, 1m30s or 500ms: numbers with a unit`);
  }
  if (duration === 0n) return 0;
  if (duration < MINIMUM_NS) {
    throw complain(
      reading,
      flag,
      `Interval ${JSON.stringify(flag)} cannot be less than 1ms`,
      "Write a longer time, or 0 for the default",
    );
  }
  return Number(duration);
}

function readRetries(reading: Reading, value: string | undefined): number {
  if (value === undefined || value === "") return 0;
  const hint = "Write a whole number: --retries=3";
  if (!/^[+-]?[0-9]+$/.test(value)) {
    throw complain(
      reading,
      "retries",
      `invalid number of retries ${JSON.stringify(value)}: invalid syntax`,
      hint,
    );
  }
  const retries = Number(value);
  if (retries > 0x7fff_ffff || retries < -0x8000_0000) {
    throw complain(
      reading,
      "retries",
      `invalid number of retries ${JSON.stringify(value)}: value out of range`,
      hint,
    );
  }
  if (retries < 0) throw complain(reading, "retries", `--retries cannot be negative (${value})`, hint);
  return retries;
}

function complain(reading: Reading, flag: string, reason: string, hint: string): Error {
  const focus = reading.tokens("flags").find(({ value }) => value.startsWith(`--${flag}=`))?.range;
  return reading.error({ code: "BAD_HEALTHCHECK", reason, hint, focus });
}

const EXAMPLE = "Write HEALTHCHECK CMD curl -f http://localhost/ || exit 1";

export function explainHealthcheck(node: InstructionNode): Complaint {
  const code = "BAD_HEALTHCHECK" as const;
  const [type] = node.args;
  if (type === undefined)
    return {
      code,
      reason: "HEALTHCHECK requires at least one argument",
      hint: `${EXAMPLE}, or HEALTHCHECK NONE`,
    };
  const upper = toUpperSimple(type);
  if (upper === "NONE") {
    return {
      code,
      reason: "HEALTHCHECK NONE takes no arguments",
      hint: "NONE switches the base image's health check off; to check something, use CMD",
    };
  }
  if (upper === "CMD") return { code, reason: "Missing command after HEALTHCHECK CMD", hint: EXAMPLE };
  return {
    code,
    reason: `Unknown type ${JSON.stringify(upper)} in HEALTHCHECK (try CMD)`,
    hint: EXAMPLE,
    focus: node.tokens.find((token) => token.type === "word")?.range,
  };
}
