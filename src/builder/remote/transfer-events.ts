import { shortDigest } from "../../oci/index.ts";
import type { RegistryEvent } from "../../registry/index.ts";
import type { OnEvent } from "../events.ts";

/** Tells what a registry client does as the progress of one step: transfers as its items, the rest as its lines. */
export function reportTransfer(event: RegistryEvent, vertex: string, onEvent: OnEvent): void {
  const say = (text: string): void =>
    onEvent({ kind: "step-output", vertex, stream: "stderr", chunk: Buffer.from(`${text}\n`) });
  switch (event.kind) {
    case "blob-started":
      onEvent({ kind: "step-bytes", vertex, item: shortDigest(event.digest), done: 0, total: event.size });
      break;
    case "blob-bytes":
      onEvent({
        kind: "step-bytes",
        vertex,
        item: shortDigest(event.digest),
        done: event.done,
        total: event.size,
      });
      break;
    case "blob-finished":
      onEvent({
        kind: "step-bytes",
        vertex,
        item: shortDigest(event.digest),
        done: event.size,
        total: event.size,
      });
      break;
    case "blob-skipped":
      say(`${shortDigest(event.digest)} is already there`);
      break;
    case "blob-mounted":
      say(`${shortDigest(event.digest)} mounted from ${event.from}`);
      break;
    case "retried":
      say(`${event.request} again in ${(event.waitMs / 1000).toFixed(1)}s: ${event.reason}`);
      break;
    case "warning":
      onEvent({ kind: "warning", message: `${event.registry}: ${event.text}` });
      break;
    // The request that was told to wait says so itself.
    case "waiting":
    case "manifest-pushed":
    case "request":
    case "authorized":
      break;
    default:
      event satisfies never;
  }
}
