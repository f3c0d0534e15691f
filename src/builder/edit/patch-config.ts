import type { ImageConfig } from "../../oci/index.ts";

type Members = Record<string, unknown>;

/**
 * A config document with the members that differ between two readings of it, and everything else as it was: members that are
 * not known here stay too.
 * @param bytes the document that `before` was read from
 * @returns the same bytes when nothing differs
 */
export function patchConfig(bytes: Uint8Array, before: ImageConfig, after: ImageConfig): Uint8Array {
  const document = JSON.parse(Buffer.from(bytes).toString("utf8")) as Members;
  const { config: configBefore = {}, ...restBefore } = before;
  const { config: configAfter = {}, ...restAfter } = after;
  const isPatched = patch(document, restBefore, restAfter);
  const config = { ...(document["config"] as Members | null | undefined) };
  const isConfigPatched = patch(config, configBefore, configAfter);
  if (!isPatched && !isConfigPatched) return bytes;
  return Buffer.from(JSON.stringify(isConfigPatched ? { ...document, config } : document));
}

function patch(target: Members, before: object, after: object): boolean {
  const [old, wanted] = [before as Members, after as Members];
  let isPatched = false;
  for (const name of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
    const value = wanted[name];
    if (JSON.stringify(old[name]) === JSON.stringify(value)) continue;
    isPatched = true;
    if (isEmpty(value)) delete target[name];
    else target[name] = value;
  }
  return isPatched;
}

/** What Docker leaves out of a config. */
export function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === "" ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0)
  );
}
