import { nearest } from "../../util/nearest.ts";
import { splitCsv } from "./csv.ts";
import { parseGoBoolean } from "./go-values.ts";

/** One `--device` of a RUN: a CDI device name. */
export interface RunDevice {
  readonly name: string;
  readonly required: boolean;
}

/** Reads `NAME`, `NAME,required`, `name=NAME,required=true`. @returns what is wrong with it, if something is */
export function parseRunDevice(flagValue: string): RunDevice | string {
  const fields = splitCsv(flagValue);
  if (typeof fields === "string") return `failed to parse csv devices: ${fields}`;
  let name = "";
  let required = false;
  for (const field of fields) {
    const equals = field.indexOf("=");
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    const value = equals === -1 ? undefined : field.slice(equals + 1);
    if (key === "required") {
      const given = value === undefined ? true : parseGoBoolean(value);
      if (given === undefined) return `invalid value for required: ${value}`;
      required = given;
    } else if (key === "name" && value !== undefined) {
      if (name !== "") return `device name already set to ${name}`;
      name = value;
    } else if (name === "") {
      name = field;
    } else if (value === undefined) {
      return `invalid field '${field}' must be a key=value pair`;
    } else {
      const close = nearest(key, ["name", "required"]);
      return `unexpected key '${key}' in '${field}'${close === undefined ? "" : ` (did you mean ${close}?)`}`;
    }
  }
  return { name, required };
}
