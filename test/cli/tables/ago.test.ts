import { expect, it } from "vitest";
import { formatAgo } from "../../../src/cli/tables/ago.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

it.each([
  [0.5, "Less than a second ago"],
  [1, "1 second ago"],
  [59, "59 seconds ago"],
  [90, "About a minute ago"],
  [150, "2 minutes ago"],
  [HOUR, "About an hour ago"],
  [2 * HOUR, "2 hours ago"],
  [3 * DAY, "3 days ago"],
  [15 * DAY, "2 weeks ago"],
  [90 * DAY, "3 months ago"],
  [800 * DAY, "2 years ago"],
])("formatAgo() of %d seconds is %j", (seconds, text) => {
  expect(formatAgo(new Date(1e12 - seconds * 1000), 1e12)).toBe(text);
});

it("formatAgo() of no time is N/A", () => {
  expect(formatAgo("never", 0)).toBe("N/A");
});
