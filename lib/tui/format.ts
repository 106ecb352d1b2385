/** Numbers as a person reads them in a few columns. Pure. @module */

/** `45s`, `3m 10s`, `2h 05m`, `4d 03h`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h ${two(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(seconds / 86_400)}d ${two(Math.floor(seconds / 3_600) % 24)}h`;
}

/** `812B`, `64K`, `1.5M`, `12M`, `3.2G`. */
export function bytesText(bytes: number): string {
  let value = Math.max(0, bytes);
  for (const unit of ["B", "K", "M", "G", "T"]) {
    if (value < 1_000 || unit === "T") {
      return unit !== "B" && value < 10 ? `${value.toFixed(1)}${unit}` : `${Math.round(value)}${unit}`;
    }
    value /= 1_024;
  }
  return "";
}

/** Share of one CPU in per cent: `0.4%`, `12%`, `230%`. */
export function cpuText(ratio: number): string {
  const percent = 100 * ratio;
  return percent > 0 && percent < 9.95 ? `${percent.toFixed(1)}%` : `${Math.round(percent)}%`;
}
