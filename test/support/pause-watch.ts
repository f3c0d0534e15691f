import type { RegistryEvent } from "../../src/registry/index.ts";
import type { FastClock } from "./registry-clock.ts";
import type { Fault, FaultProxy, SeenRequest } from "./registry-proxy.ts";

export interface WatchedOptions {
  readonly userAgent: string;
  readonly clock: FastClock;
  readonly onEvent: (event: RegistryEvent) => void;
}

/** Notices requests that a client sent in a pause that it had been asked for. Stands in a proxy's place of a rule. */
export class PauseWatch {
  readonly intrusions: string[] = [];
  faults = 0;
  requests = 0;
  readonly #askedMs = new Map<string, number>();

  constructor(proxy: FaultProxy, faults: (request: SeenRequest) => Fault | undefined) {
    proxy.rule = (request) => {
      this.requests++;
      const fault = faults(request);
      if (fault === undefined) return undefined;
      this.faults++;
      const seconds = fault.kind === "answer" ? Number(fault.headers?.["retry-after"] ?? 0) : 0;
      const path = request.path.replace(/\?.*/, "");
      this.#askedMs.set(`${request.headers["user-agent"]} ${request.method} ${path}`, seconds * 1000);
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
        const askedMs = this.#askedMs.get(request) ?? 0;
        if ((event.status !== 429 && event.status !== 503) || askedMs === 0) return;
        // An answer is told before it is acted upon, which happens before anything else comes from outside.
        setImmediate(() => pauses.push({ fromMs: clock.nowMs(), toMs: nowMs + askedMs }));
      },
    };
  }
}
