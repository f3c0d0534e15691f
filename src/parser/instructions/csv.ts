/**
 * The fields of a comma-separated line, as --mount and --device have them: a field that begins with a double quote
 * ends with one, and `""` in it stands for one (RFC 4180).
 * @returns the fields, or what is wrong with the text
 */
export function splitCsv(text: string): readonly string[] | string {
  const line = text.replace(/\r?\n$/, "");
  if (line === "") return "there is nothing in it";
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const isQuoted = line.charAt(at) === '"';
    const field = isQuoted ? quotedField(line, at) : plainField(line, at);
    if (typeof field === "string") return field;
    fields.push(field.value);
    if (field.end === line.length) return fields;
    at = field.end + 1;
  }
}

interface Field {
  readonly value: string;
  /** Of the comma or the text's end. */
  readonly end: number;
}

function plainField(line: string, start: number): Field | string {
  const comma = line.indexOf(",", start);
  const end = comma === -1 ? line.length : comma;
  const value = line.slice(start, end);
  return value.includes('"') ? 'bare " in a field that does not begin with one' : { value, end };
}

function quotedField(line: string, start: number): Field | string {
  const parts: string[] = [];
  let at = start + 1;
  for (;;) {
    const quote = line.indexOf('"', at);
    if (quote === -1) return 'a field begins with " and does not end with it';
    parts.push(line.slice(at, quote));
    const next = line.charAt(quote + 1);
    if (next === "" || next === ",") return { value: parts.join('"'), end: quote + 1 };
    if (next !== '"') return 'something stands between the closing " and the comma';
    at = quote + 2;
  }
}
