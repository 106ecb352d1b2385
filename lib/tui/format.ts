/** Numbers as a person reads them: in a few columns, and in running text. Pure. @module */

/** `45s`, `3m 10s`, `2h 05m`, `4d 03h`. */
export function durationText(ms: number): string {
  return spanText(Math.floor(ms / 1_000), " ");
}

/** In running text, as a word: `340ms`, `45s`, `3m10s`, `2h05m`, `4d03h`. */
export function durationWord(ms: number): string {
  return ms < 1_000 ? `${Math.max(0, Math.round(ms))}ms` : spanText(Math.round(ms / 1_000), "");
}

function spanText(seconds: number, between: string): string {
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds < 60) return `${Math.max(0, seconds)}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${between}${two(seconds % 60)}s`;
  if (seconds < 86_400) {
    return `${Math.floor(seconds / 3_600)}h${between}${two(Math.floor(seconds / 60) % 60)}m`;
  }
  return `${Math.floor(seconds / 86_400)}d${between}${two(Math.floor(seconds / 3_600) % 24)}h`;
}

/** In running text: `340 B`, `1.4 KiB`, `12.0 MiB`. */
export function sizeText(bytes: number): string {
  const [value, unit] = scaled(bytes, bytes);
  return `${value} ${unit}`;
}

/** `1.4 of 12.0 MiB`; only what is there while nobody knows the whole. */
export function partText(done: number, whole: number): string {
  if (whole <= 0) return sizeText(done);
  const [value] = scaled(Math.min(done, whole), whole);
  return `${value} of ${sizeText(whole)}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** In the unit of another number. */
function scaled(bytes: number, like: number): readonly [value: string, unit: string] {
  let at = 0;
  while (at < UNITS.length - 1 && like >= 1_000 * 1_024 ** at) at++;
  return [at === 0 ? String(Math.round(bytes)) : (bytes / 1_024 ** at).toFixed(1), UNITS[at]!];
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
