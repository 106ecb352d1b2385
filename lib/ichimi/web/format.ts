/** How numbers and times are written, in the language that is shown. @module */
import { language } from "./settings.ts";
import { words } from "./words.ts";

/** `1.5 GiB`, with three digits. */
export function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, at] = [bytes, 0];
  for (; value >= 1_000 && at < units.length - 1; at++) value /= 1_024;
  return `${digits(value)} ${units[at]}`;
}

/** `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString(language.value);
}

/** `12.3 %`. */
export function percentText(percent: number | null | undefined): string {
  return percent === null || percent === undefined ? "–" : `${digits(percent)} %`;
}

function digits(value: number): string {
  return value >= 100 || Number.isInteger(value)
    ? value.toFixed(0)
    : value.toPrecision(value < 1 ? 1 : 2 + Number(value >= 10));
}

/** `2h 5m`: the two largest units that say something. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const { d, h, m, s } = words.value.units;
  const parts = ([
    [Math.floor(seconds / 86_400), d],
    [Math.floor(seconds / 3_600) % 24, h],
    [Math.floor(seconds / 60) % 60, m],
    [seconds % 60, s],
  ] as const).map(([count, unit]) => ({ count, unit }));
  const first = parts.findIndex(({ count }) => count > 0);
  if (first < 0) return `0${s}`;
  const shown = parts.slice(first, first + 2).filter(({ count }) => count > 0);
  return shown.map(({ count, unit }) => `${count}${unit}`).join(language.value === "ja" ? "" : " ");
}

/** `14:03:22`. */
export function clockText(time: string): string {
  return new Date(time).toLocaleTimeString("sv");
}

/** Day and time, as the language has it. */
export function dateText(time: string): string {
  return new Date(time).toLocaleString(language.value === "ja" ? "ja-JP" : "en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
  });
}

/** The same, with programs of its own folder named from there. */
export function shortLineText(
  { command, args, cwd, project }: {
    readonly command: string;
    readonly args: readonly string[];
    readonly cwd: string | null;
    readonly project?: string | undefined;
  },
): string {
  const folder = cwd ?? project;
  const isOwn = folder !== undefined && command.startsWith(`${folder}/`);
  return lineText(isOwn ? `.${command.slice(folder.length)}` : command, args);
}

/** A command with its arguments as one would type it. */
export function lineText(command: string, args: readonly string[]): string {
  return [command, ...args].map((word) =>
    /^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  ).join(" ");
}
