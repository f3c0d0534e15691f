import type { ProgressView, ViewContext } from "./view.ts";

/**
 * Every event as a line of JSON, as it comes: the members of `ProgressEvent`, with a `chunk` of output in base64,
 * since it need not be text.
 */
export function createRawJsonView({ output }: Pick<ViewContext, "output">): ProgressView {
  let isClosed = false;
  return {
    onEvent: (event) => {
      if (isClosed) return;
      const shown =
        event.kind === "step-output"
          ? { ...event, chunk: Buffer.from(event.chunk).toString("base64") }
          : event;
      output.write(`${JSON.stringify(shown)}\n`);
    },
    close: () => {
      isClosed = true;
    },
  };
}
