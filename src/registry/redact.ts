/** A URL for messages and events: without user info, query and fragment, which may all hold secrets. */
export function redactUrl(url: URL | string): string {
  const text = typeof url === "string" ? url : url.href;
  if (!URL.canParse(text)) return text.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//");
  const parsed = new URL(text);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}

/** Server text for a person: one line, printable, bounded. */
export function cleanText(text: string, maxLength = 300): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what has to go
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}
