import type { Digest } from "../oci/index.ts";

/** Which blob of which repository an event is about. */
export interface BlobContext {
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
  /** Bytes in all. */
  readonly size: number;
}

/** What a client reports while it works. Events are facts for a display; nothing has to listen. */
export type RegistryEvent =
  | ({ readonly kind: "blob-started"; readonly direction: "pull" | "push" } & BlobContext)
  /** `done` counts from 0 and can fall back when a transfer has to start over. */
  | ({
      readonly kind: "blob-bytes";
      readonly direction: "pull" | "push";
      readonly done: number;
    } & BlobContext)
  | ({ readonly kind: "blob-finished"; readonly direction: "pull" | "push" } & BlobContext)
  /** The other side has it already. */
  | ({ readonly kind: "blob-skipped"; readonly direction: "pull" | "push" } & BlobContext)
  /** The registry took it over from another repository; no byte was sent. */
  | ({ readonly kind: "blob-mounted"; readonly from: string } & BlobContext)
  | {
      readonly kind: "manifest-pushed";
      readonly registry: string;
      readonly repository: string;
      readonly digest: Digest;
      readonly tag?: string;
    }
  | {
      readonly kind: "retried";
      readonly registry: string;
      /** What is tried again: `GET https://…`. */
      readonly request: string;
      readonly attempt: number;
      readonly waitMs: number;
      readonly reason: string;
    }
  /** A registry asked who we are; undefined: nobody in particular. Told once for each answer. */
  | { readonly kind: "authorized"; readonly registry: string; readonly origin: string | undefined }
  /** The registry asked everyone to wait (429). */
  | { readonly kind: "waiting"; readonly registry: string; readonly waitMs: number; readonly reason: string }
  /** A `Warning: 299` header, or an oddity worth a line; each text once per client. */
  | { readonly kind: "warning"; readonly registry: string; readonly text: string }
  /** One request and its answer, for a wire trace. The URL has no secrets. */
  | {
      readonly kind: "request";
      readonly method: string;
      readonly url: string;
      readonly status: number;
      readonly durationMs: number;
    };

export type OnRegistryEvent = (event: RegistryEvent) => void;
