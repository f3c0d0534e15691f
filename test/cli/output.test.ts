import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { CliError, Interruption, outputFault } from "../../src/cli/error.ts";
import { createOutput } from "../../src/cli/output.ts";

function terminal(columns: number, rows: number): NodeJS.WriteStream {
  return Object.assign(new PassThrough(), { isTTY: true, columns, rows }) as unknown as NodeJS.WriteStream;
}

function fault(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made up, write`), { code });
}

describe("createOutput()", () => {
  it("knows a terminal's size, unless nobody has told the terminal", () => {
    expect(createOutput(terminal(80, 24), () => undefined)).toMatchObject({ columns: 80, rows: 24 });
    const unsized = createOutput(terminal(0, 0), () => undefined);
    expect([unsized.columns, unsized.rows]).toEqual([undefined, undefined]);
  });

  it("tells the first fault alone, and drops what is written after it", async () => {
    const faults: unknown[] = [];
    const stream = terminal(80, 24);
    const output = createOutput(stream, (error) => faults.push(error));
    const first = fault("ENOSPC");
    stream.emit("error", first);
    stream.emit("error", fault("EPIPE"));
    output.write("lost");
    await output.writeBytes(Buffer.from("lost"));
    expect(faults).toEqual([first]);
    expect((stream as unknown as PassThrough).read()).toBeNull();
  });
});

describe("outputFault()", () => {
  it.each(["EPIPE", "EIO"])("takes %s for a reader that went away", (code) => {
    const reason = outputFault(fault(code));
    expect(reason).toBeInstanceOf(Interruption);
    expect(reason).toMatchObject({ signalName: "SIGPIPE", exitCode: 141 });
  });

  it("takes anything else for a result that is not whole", () => {
    const cause = fault("ENOSPC");
    const reason = outputFault(cause);
    expect(reason).toBeInstanceOf(CliError);
    expect(reason).toMatchObject({ code: "OUTPUT_FAILED", cause });
  });
});
