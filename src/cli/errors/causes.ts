/** Deeper than this nobody reads; it also bounds a chain that bites its tail. */
const MAX_CAUSES = 5;

/** The errors behind `error`, one line each, nearest first, without those whose text has been said already. */
export function describeCauses(error: Error): string[] {
  const said = [error.message];
  let cause: unknown = error.cause;
  for (let depth = 0; depth < MAX_CAUSES && cause !== undefined && cause !== null; depth++) {
    const message = firstLine(cause instanceof Error ? cause.message : String(cause));
    if (message !== "" && !said.some((earlier) => earlier.includes(message))) said.push(message);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return said.slice(1);
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.trim();
}
