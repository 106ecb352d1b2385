/** Numbers, times and axis steps as a person reads them. @module */
import type { Unit } from "../views/mod.ts";

const NS: readonly [number, string][] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
const BYTES: readonly [number, string][] = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
  [1, "B"],
];
const SI: readonly [number, string][] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];

/** Three digits that matter, without zeros at the end. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const fixed = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  if (size < 0.001) return size < 1e-6 ? value.toExponential(1) : value.toPrecision(2);
  return value.toFixed(fixed).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

function scaled(value: number, scale: readonly [number, string][], gap: string): string {
  const size = Math.abs(value);
  const [by, name] = scale.find(([least]) => size >= least * 0.9995) ?? scale.at(-1)!;
  return `${digits(value / by)}${name === "" ? "" : gap + name}`;
}

/** A value with its unit. */
export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "–";
  switch (unit) {
    case "ns":
      return scaled(value, NS, " ");
    case "bytes":
      return scaled(value, BYTES, " ");
    case "bytes/s":
      return value === 0 ? "0" : `${scaled(value, BYTES, " ")}/s`;
    case "per second":
      return value === 0 ? "0" : `${scaled(value, SI, " ")}/s`;
    case "ratio":
      return `${digits(value * 100)}%`;
    case "hertz":
      return `${scaled(value, SI, " ")}Hz`;
    case "cores":
    case "count":
      return scaled(value, SI, " ");
  }
}

/** The same, shorter: what is clear from the axis is left out. */
export function formatTick(value: number, unit: Unit): string {
  if (value === 0) return "0";
  return formatValue(value, unit).replace("/s", "").replace("Hz", "").replace(/ (?=[kMGT]$)/, "").trim();
}

/** Steps of a linear axis: about `count` of them, round in the unit's own base. */
export function niceSteps(max: number, unit: Unit, count: number): number[] {
  if (!(max > 0)) return [0, 1];
  const base = unit === "bytes" || unit === "bytes/s" ? 1024 : 1000;
  const raw = max / count;
  const scale = base ** Math.floor(Math.log(raw) / Math.log(base));
  const within = raw / scale;
  const choices = base === 1024
    ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    : [1, 2, 2.5, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000];
  const step = scale * (choices.find((choice) => choice >= within * 0.999) ?? base);
  const steps: number[] = [];
  for (let i = 0; i * step < max + step * 0.999; i++) steps.push(i * step);
  return steps;
}

const TIME_STEPS_S = [
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  10800,
  21600,
  43200,
  86400,
];

/** Times of the ticks of an axis, at round local times. */
export function timeTicks(fromMs: number, toMs: number, count: number): number[] {
  const raw = (toMs - fromMs) / 1000 / Math.max(1, count);
  const step = (TIME_STEPS_S.find((seconds) => seconds >= raw * 0.85) ?? 86_400 * Math.ceil(raw / 86_400)) *
    1000;
  const shift = new Date(fromMs).getTimezoneOffset() * 60_000;
  const ticks: number[] = [];
  for (let t = Math.ceil((fromMs - shift) / step) * step + shift; t <= toMs; t += step) ticks.push(t);
  return ticks;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** `14:03`, with seconds where ticks are closer than a minute, with the day where the range is longer than one. */
export function formatTime(ms: number, spanMs: number): string {
  const date = new Date(ms);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (spanMs > 36 * 3_600_000) return `${date.getMonth() + 1}-${two(date.getDate())} ${clock}`;
  return spanMs <= 10 * 60_000 ? `${clock}:${two(date.getSeconds())}` : clock;
}

/** The time under the cursor, in full. */
export function formatInstant(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** How long something took, from milliseconds: `340 ms`, `12.3 s`, `5m 1s`. */
export function formatTook(ms: number): string {
  return ms < 60_000 ? formatValue(ms * 1e6, "ns") : formatSpan(ms / 1000);
}

/** `5m`, `1h 30m`, `45s`. */
export function formatSpan(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${s % 60 ? ` ${s % 60}s` : ""}`;
  return `${Math.floor(s / 3600)}h${Math.round(s % 3600 / 60) ? ` ${Math.round(s % 3600 / 60)}m` : ""}`;
}
