import type { RegistryEvent } from "../../src/registry/index.ts";
import type { FastClock } from "./registry-clock.ts";
import type { Fault, FaultProxy, SeenRequest } from "./registry-proxy.ts";

export interface WatchedOptions {
  readonly userAgent: string;
  readonly clock: FastClock;
  readonly onEvent: (event: RegistryEvent) => void;
}

/** The pauses that answers on their way to a client ask for, to requests that nothing tells apart. */
interface Asked {
  readonly pausesMs: number[];
  /** More than one was on its way: which of them asked for which pause is not known until all have arrived. */
  isMixed: boolean;
}

/** Notices requests that a client sent in a pause that it had been asked for. Stands in a proxy's place of a rule. */
export class PauseWatch {
  readonly intrusions: string[] = [];
  faults = 0;
  requests = 0;
  readonly #asked = new Map<string, Asked>();

  constructor(proxy: FaultProxy, faults: (request: SeenRequest) => Fault | undefined) {
    proxy.rule = (request) => {
      this.requests++;
      const fault = faults(request);
      if (fault === undefined) return undefined;
      this.faults++;
      if (fault.kind !== "answer" || !isPauseStatus(fault.status)) return fault;
      const path = request.path.replace(/\?.*/, "");
      const key = `${request.headers["user-agent"]} ${request.method} ${path}`;
      const asked = this.#asked.get(key) ?? { pausesMs: [], isMixed: false };
      this.#asked.set(key, asked);
      asked.isMixed ||= asked.pausesMs.length > 0;
      asked.pausesMs.push(Number(fault.headers?.["retry-after"] ?? 0) * 1000);
      return fault;
    };
  }

  /**
   * What a client needs to be watched. All times are those of the client's clock, so what is on its way when it is asked
   * is no intrusion.
   */
  clientOptions(name: string, clock: FastClock): WatchedOptions {
    const pauses: { readonly fromMs: number; readonly toMs: number }[] = [];
    return {
      userAgent: name,
      clock,
      onEvent: (event) => {
        if (event.kind !== "request") return;
        const request = `${name} ${event.method} ${new URL(event.url).pathname}`;
        const nowMs = clock.nowMs();
        const sentMs = nowMs - event.durationMs;
        const isIn = pauses.some(({ fromMs, toMs }) => sentMs > fromMs && sentMs < toMs - 1);
        if (isIn) this.intrusions.push(request);
        const askedMs = isPauseStatus(event.status) ? this.#arrived(request) : 0;
        if (askedMs === 0) return;
        // An answer is told before it is acted upon, which happens before anything else comes from outside.
        setImmediate(() => pauses.push({ fromMs: clock.nowMs(), toMs: nowMs + askedMs }));
      },
    };
  }

  /** The pause that an answer asked for; 0 where that is not certain. */
  #arrived(request: string): number {
    const asked = this.#asked.get(request);
    const pauseMs = asked?.pausesMs.pop();
    if (asked === undefined || pauseMs === undefined) return 0;
    const isCertain = !asked.isMixed;
    if (asked.pausesMs.length === 0) asked.isMixed = false;
    return isCertain ? pauseMs : 0;
  }
}

function isPauseStatus(status: number): boolean {
  return status === 429 || status === 503;
}
