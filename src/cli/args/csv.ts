import { usageError } from "../error.ts";

/**
 * Splits one CSV record the way Docker reads its flags: fields apart by commas; a field in double quotes may hold
 * commas, and `""` there is a quote.
 * @throws {CliError} USAGE when a quote isn't closed or has text after it
 */
export function splitCsv(text: string, flag: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] !== '"') {
      const comma = text.indexOf(",", at);
      const field = comma < 0 ? text.slice(at) : text.slice(at, comma);
      if (field.includes('"')) throw broken(text, flag, "a quote may only open a field");
      fields.push(field);
      if (comma < 0) return fields;
      at = comma + 1;
      continue;
    }
    let field = "";
    let end = at + 1;
    for (;;) {
      const quote = text.indexOf('"', end);
      if (quote < 0) throw broken(text, flag, "a quote is not closed");
      field += text.slice(end, quote);
      end = quote + 1;
      if (text[end] !== '"') break;
      field += '"';
      end++;
    }
    fields.push(field);
    if (end >= text.length) return fields;
    if (text[end] !== ",") throw broken(text, flag, "after a closing quote comes a comma");
    at = end + 1;
  }
}

/** One `key=value` of a flag's value; keys in lower case. */
export interface Attribute {
  readonly key: string;
  readonly value: string;
}

/**
 * `type=oci,dest=x` as its attributes, in order.
 * @throws {CliError} USAGE for a field without `=`
 */
export function parseAttributes(text: string, flag: string): Attribute[] {
  return splitCsv(text, flag).map((field) => {
    const equals = field.indexOf("=");
    if (equals < 0) throw usageError(`Cannot read ${flag} "${text}": "${field}" is no key=value`);
    return { key: field.slice(0, equals).trim().toLowerCase(), value: field.slice(equals + 1) };
  });
}

function broken(text: string, flag: string, why: string): Error {
  return usageError(`Cannot read ${flag} "${text}": ${why}`, 'Quote a whole field: "name=a,b",type=oci');
}
