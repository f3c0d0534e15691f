/** Whether an error is what zlib, or a decoder of ours, says of bytes that are not what they should be. */
export function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  return (
    error.name === "DecompressError" ||
    (typeof code === "string" && /^(Z_|ERR_ZLIB|CORRUPT|TRUNCATED)/.test(code))
  );
}
