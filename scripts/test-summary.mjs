// Reads the JSON report of a vitest run; names what was skipped and what failed, and ends with the one line
// `N passed, N failed[, N skipped]`. Fails when anything failed or nothing ran.
//
// usage: node scripts/test-summary.mjs REPORT EXIT_CODE_OF_VITEST
import { readFileSync } from "node:fs";

const report = readReport(process.argv[2]);
const tests = report.testResults.flatMap((file) =>
  file.assertionResults.map((test) => ({ ...test, file: file.name })),
);
// A file that could not be loaded has no tests to fail, only itself.
const brokenFiles = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some(isFailed),
);
const skipped = tests.filter((test) => ["skipped", "pending", "todo"].includes(test.status));
const failed = tests.filter(isFailed);
const passed = tests.filter((test) => test.status === "passed");
// An error that no test waits for is only in vitest's exit code.
const isBrokenOutside = failed.length + brokenFiles.length === 0 && process.argv[3] !== "0";
const failures = failed.length + brokenFiles.length + (isBrokenOutside ? 1 : 0);

for (const test of skipped) console.log(`skipped: ${test.fullName}`);
for (const file of brokenFiles) console.log(`failed: ${file.name}: ${file.message}`);
for (const test of failed) console.log(`failed: ${test.file}: ${test.fullName}\n${reasonOf(test)}`);
if (isBrokenOutside) console.log("failed: an error outside of any test; see above");
console.log(
  `${passed.length} passed, ${failures} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`,
);
process.exitCode = failures === 0 && passed.length > 0 ? 0 : 1;

function isFailed(test) {
  return test.status === "failed";
}

/** The first lines of what a failed test threw, indented: enough to know the cause where only the end of a log is kept. */
function reasonOf(test) {
  const lines = test.failureMessages.join("\n").split("\n").slice(0, 25);
  return lines.map((line) => `    ${line.slice(0, 300)}`).join("\n");
}

/** A run that died before writing its report counts as one failure. */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return {
      testResults: [
        { name: "vitest", status: "failed", message: `no report: ${error.message}`, assertionResults: [] },
      ],
    };
  }
}
