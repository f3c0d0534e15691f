import type { Stage } from "../../stage.ts";
import { buildCheck } from "../build-check.ts";
import { isImageName } from "../dry-run/image-name.ts";
import type { Variables } from "../dry-run/variables.ts";
import { rangeOf } from "../range.ts";
import type { Reporter } from "../reporter.ts";

export const invalidDefaultArgInFrom = buildCheck(
  "InvalidDefaultArgInFrom",
  "With the defaults of its ARGs, every FROM names an image",
  { page: "invalid-default-arg-in-from" },
);

/** @param defaults what the ARGs before the first FROM are without any build argument */
export function checkDefaultArgs(stages: readonly Stage[], defaults: Variables, reporter: Reporter): void {
  for (const { baseName, from } of stages) {
    const { word, error } = defaults.tryExpand(baseName);
    // The build fails for the same reason a little later.
    if (error !== undefined) return;
    if (isImageName(word)) continue;
    reporter.report(
      invalidDefaultArgInFrom,
      rangeOf(from),
      `Without build arguments ${baseName} is ${word === "" ? "empty" : `"${word}", which is no image's name`}`,
    );
  }
}
