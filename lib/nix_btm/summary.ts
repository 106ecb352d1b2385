/** A world in a few lines of text, or as data: for those who look once. Pure. @module */
import { type Command, isOver } from "../nix/mod.ts";
import { durationWord, partText, plainText } from "../tui/mod.ts";
import { failedText, hashLines } from "./failure_text.ts";
import { errorsOf } from "./problems.ts";
import { isBlocked, type JobRow, type World } from "./world.ts";

/** What is shown of a world at most. */
const ROWS_MAX = 40;

/** Counts of one command's builds. */
export interface CommandSummary {
  readonly id: number;
  readonly state: Command["state"];
  readonly command: string;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  /** Not begun, since something that they need has failed. */
  readonly blocked: number;
  readonly left: number;
  /** Store paths that were copied, and of those that are or were to be. */
  readonly copied: number;
  readonly copies: number;
  /** Until the end, as far as anybody can tell. */
  readonly medianMs: number | undefined;
  /** What went wrong beside builds that failed. */
  readonly errors: readonly string[];
}

/** Commands with the counts of their builds, the newest last. */
export function summaries(world: World): CommandSummary[] {
  return [...world.commands.values()].map((command) => {
    const jobs = [...world.jobs.values()].filter((job) => job.command === command.id);
    const builds = jobs.filter(({ kind }) => kind === "build");
    const copies = jobs.filter(({ kind }) => kind === "copy");
    const count = (kind: JobRow["state"]["kind"]) => builds.filter(({ state }) => state.kind === kind).length;
    return {
      id: command.id,
      state: command.state,
      command: commandText(command),
      running: count("running"),
      done: count("succeeded"),
      failed: builds.filter((job) => job.state.kind === "failed" && !isBlocked(job)).length,
      blocked: builds.filter(isBlocked).length,
      left: builds.filter((job) => !isOver(job)).length,
      copied: copies.filter(({ state }) => state.kind === "succeeded").length,
      copies: copies.length,
      medianMs: world.estimates.get(command.id)?.estimate?.medianMs,
      errors: errorsOf([command], jobs).map(({ text }) => plainText(text).trim()),
    };
  });
}

/** What was called, in a line: the program's name and its words, or what it was asked for. */
export function commandText(
  { requester: { command }, targets }: Pick<Command, "requester" | "targets">,
): string {
  const [program, ...words] = command ?? [];
  const called = program === undefined ? targets : [program.replace(/^.*\//s, ""), ...words];
  return called.join(" ").replaceAll(/\p{Cc}+/gu, " ");
}

/** For people: commands, what runs, what failed. */
export function summaryText(world: World, nowMs: number): string {
  const lines = summaries(world).flatMap((summary) => {
    const { id, state, command, medianMs, errors } = summary;
    const rest = medianMs === undefined ? "" : `, done in about ${durationWord(medianMs)}`;
    return [
      `#${id} ${state}: ${countsText(summary)}${rest}  ${command}`.trimEnd(),
      ...errors.map((text) => `  error    ${text.replaceAll("\n", "\n           ")}`),
    ];
  });
  const shown = [...world.jobs.values()].filter(({ kind, state }) =>
    kind === "copy"
      ? state.kind === "running" || state.kind === "failed"
      : kind === "build" && (state.kind === "running" || state.kind === "waiting" || state.kind === "failed")
  );
  for (const job of shown.slice(0, ROWS_MAX)) lines.push(`  ${jobText(job, nowMs)}`);
  if (shown.length > ROWS_MAX) lines.push(`  and ${shown.length - ROWS_MAX} more`);
  return lines.length === 0 ? "nothing is built\n" : `${lines.join("\n")}\n`;
}

/** `3 built, 1 running, 1 failed, 5 blocked, 2 left, 4 of 12 paths copied`. */
export function countsText(
  { done, running, failed, blocked, left, copied, copies }: Omit<CommandSummary, "medianMs" | "errors">,
): string {
  const paths = copies === 0 ? "" : `, ${copied} of ${copies} ${copies === 1 ? "path" : "paths"} copied`;
  const held = blocked === 0 ? "" : `, ${blocked} blocked`;
  return `${done} built, ${running} running, ${failed} failed${held}, ${left} left${paths}`;
}

function jobText(job: JobRow, nowMs: number): string {
  const { kind, name, host, state, phases, startedMs, endedMs } = job;
  if (state.kind === "failed") {
    const how = failedText(job).replace(/^failed(?: with |: )/, "");
    return [
      `${isBlocked(job) ? "blocked " : "failed  "} ${name}: ${how}`,
      ...hashLines(job).map((line) => `         ${line}`),
    ].join("\n  ");
  }
  if (kind === "copy") {
    const { to, doneBytes, expectedBytes } = job;
    const where = host === "" ? `to ${to}` : `from ${host}`;
    return `copying  ${name} ${where} ${partText(doneBytes, expectedBytes)}`;
  }
  const where = host === "" ? "" : ` on ${host}`;
  const phase = phases.at(-1)?.name;
  const took = startedMs === undefined ? "" : ` ${durationWord((endedMs ?? nowMs) - startedMs)}`;
  if (state.kind === "waiting") return `waiting  ${name}: ${state.why}`;
  return `running  ${name}${where}${phase === undefined ? "" : ` ${phase}`}${took}`;
}
