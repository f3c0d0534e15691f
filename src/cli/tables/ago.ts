const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago something was, in Docker's words: `2 hours ago`; `N/A` for a time that is none. */
export function formatAgo(time: string | Date, nowMs: number): string {
  const thenMs = typeof time === "string" ? Date.parse(time) : time.getTime();
  return Number.isNaN(thenMs) ? "N/A" : `${formatSpan((nowMs - thenMs) / 1000)} ago`;
}

function formatSpan(seconds: number): string {
  if (seconds < 1) return "Less than a second";
  if (seconds < 2) return "1 second";
  if (seconds < MINUTE) return `${Math.floor(seconds)} seconds`;
  if (seconds < 2 * MINUTE) return "About a minute";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} minutes`;
  const hours = Math.round(seconds / HOUR);
  if (hours < 2) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  const days = seconds / DAY;
  if (days < 14) return `${Math.floor(days)} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}
