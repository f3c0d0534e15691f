/**
 * What a build, pull or push reports while it works. `vertex` names a step for the whole run; times are
 * milliseconds of a monotonic clock.
 */
export type ProgressEvent =
  | {
      readonly kind: "step-started";
      readonly vertex: string;
      /** As shown to a person: `[build 2/5] RUN npm ci`. */
      readonly name: string;
      readonly atMs: number;
    }
  | {
      readonly kind: "step-output";
      readonly vertex: string;
      readonly stream: "stdout" | "stderr";
      readonly chunk: Uint8Array;
    }
  | {
      readonly kind: "step-bytes";
      readonly vertex: string;
      /** What moves: a layer's short digest, "context", a URL. */
      readonly item: string;
      readonly done: number;
      readonly total?: number;
    }
  | {
      readonly kind: "step-finished";
      readonly vertex: string;
      readonly atMs: number;
      readonly outcome: "done" | "cached" | "failed" | "canceled";
      /** One short remark: "same result as before, 41 MB layer kept". */
      readonly note?: string;
    }
  | {
      readonly kind: "warning";
      readonly message: string;
      /** The build check that says so, and where. */
      readonly check?: {
        readonly rule: string;
        readonly message: string;
        readonly description: string;
        readonly url: string;
        readonly file: string;
        readonly startLine: number;
        readonly endLine: number;
      };
    };

export type OnEvent = (event: ProgressEvent) => void;
