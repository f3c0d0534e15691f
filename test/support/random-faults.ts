import type { Fault, SeenRequest } from "./registry-proxy.ts";
import { hashedRandom, pick } from "./seeded-random.ts";

export interface RandomFaultOptions {
  readonly seed: number;
  /** The part of all requests that something happens to. */
  readonly rate: number;
  /** Bytes of the largest body: where bodies break is anywhere up to there. */
  readonly maxBytes: number;
  /** Also what costs bytes whatever a client does: wrong bytes, ranges ignored. */
  readonly lies?: boolean;
}

type MakeFault = (random: number) => Fault;

/**
 * Faults by chance: the same for the same seed, whatever order requests come in. Each is something that a network, a
 * proxy or a registry under load does.
 */
export function randomFaults(options: RandomFaultOptions): (request: SeenRequest) => Fault | undefined {
  const counts = new Map<string, number>();
  return (request) => {
    const key = keyOf(request);
    const nth = counts.get(key) ?? 0;
    counts.set(key, nth + 1);
    const random = (what: string): number => hashedRandom(`${options.seed} ${key} ${nth} ${what}`);
    if (random("whether") >= options.rate) return undefined;
    return pick(kinds(request, options), random("which"))(random("where"));
  };
}

/** Upload sessions have names that a registry makes up. */
function keyOf({ method, path, headers }: SeenRequest): string {
  const [name, query] = path.split("?");
  const digest = /digest=([^&]*)/.exec(query ?? "")?.[1] ?? "";
  return `${method} ${(name ?? "").replace(/uploads\/.*/, "uploads/")} ${digest} ${headers["content-range"] ?? ""}`;
}

function kinds({ method, headers }: SeenRequest, { maxBytes, lies }: RandomFaultOptions): MakeFault[] {
  const faults: MakeFault[] = [
    () => ({ kind: "reset" }),
    (at) => ({ kind: "answer", status: pick([500, 502, 503, 504], at) }),
    (at) => ({ kind: "answer", status: 429, headers: { "retry-after": pick(["1", "2"], at) } }),
    (at) => ({ kind: "answer", status: 503, headers: { "retry-after": pick(["1", "2"], at) } }),
    () => ({ kind: "drip", pieceBytes: 16 * 1024, pauseMs: 1 }),
    () => ({ kind: "lose-answer" }),
  ];
  const small = (at: number): number => Math.floor(at * at * maxBytes);
  if (method === "GET") {
    const cut: MakeFault = (at) => ({ kind: "cut", afterBytes: small(at) });
    faults.pop();
    faults.push(cut, cut, cut, (at) => (at < 0.3 ? { kind: "stall", afterBytes: small(at) } : cut(at)));
    if (lies === true) {
      faults.push(
        () => ({ kind: "tamper", change: (body) => flip(body) }),
        () => ({ kind: "tamper", change: (body) => body.subarray(0, body.byteLength >> 1) }),
        () => ({ kind: "tamper", change: (body) => Buffer.concat([body, Buffer.alloc(100)]) }),
        () => ({ kind: "answer", status: 200, body: "<html>Please log in</html>" }),
      );
      if (headers.range !== undefined) faults.push(() => ({ kind: "no-range" }));
    }
  }
  if ((method === "PUT" || method === "PATCH") && headers["content-length"] !== "0") {
    const size = Number(headers["content-length"] ?? 0);
    const where = (at: number): number => Math.max(1, Math.floor(at * size));
    faults.push(
      (at) => ({ kind: "break-upload", afterBytes: where(at) }),
      (at) => ({ kind: "break-upload", afterBytes: where(at), forward: true }),
    );
  }
  return faults;
}

function flip(body: Buffer): Buffer {
  const changed = Buffer.from(body);
  const at = body.byteLength >> 1;
  if (at < body.byteLength) changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
