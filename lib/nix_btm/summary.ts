/** A world in a few lines of text, or as data: for those who look once. Pure. @module */
import { type Command, isOver, plainText } from "../nix/mod.ts";
import { durationWord } from "../tui/format.ts";
import { errorsOf } from "./problems.ts";
import type { JobRow, World } from "./world.ts";

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
  readonly left: number;
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
    const count = (kind: JobRow["state"]["kind"]) => builds.filter(({ state }) => state.kind === kind).length;
    return {
      id: command.id,
      state: command.state,
      command: commandText(command),
      running: count("running"),
      done: count("succeeded"),
      failed: count("failed"),
      left: builds.filter((job) => !isOver(job)).length,
      medianMs: world.estimates.get(command.id)?.estimate?.medianMs,
      errors: errorsOf([command], jobs).map(({ text }) => plainText(text).trim()),
    };
  });
}

/** What was called, in a line: the program's name and its words, or what it was asked for. */
export function commandText({ requester: { command }, targets }: Command): string {
  const [program, ...words] = command ?? [];
  const called = program === undefined ? targets : [program.replace(/^.*\//s, ""), ...words];
  return called.join(" ").replaceAll(/\p{Cc}+/gu, " ");
}

/** For people: commands, what runs, what failed. */
export function summaryText(world: World, nowMs: number): string {
  const lines = summaries(world).flatMap((summary) => {
    const { id, state, command, running, done, failed, left, medianMs, errors } = summary;
    const rest = medianMs === undefined ? "" : `, done in about ${durationWord(medianMs)}`;
    return [
      `#${id} ${state}: ${done} built, ${running} running, ${failed} failed, ${left} left${rest}  ${command}`,
      ...errors.map((text) => `  error    ${text.replaceAll("\n", "\n           ")}`),
    ];
  });
  const builds = [...world.jobs.values()].filter(({ kind }) => kind === "build");
  const shown = builds.filter(({ state }) =>
    state.kind === "running" || state.kind === "waiting" || state.kind === "failed"
  );
  for (const job of shown.slice(0, ROWS_MAX)) lines.push(`  ${jobText(job, nowMs)}`);
  if (shown.length > ROWS_MAX) lines.push(`  and ${shown.length - ROWS_MAX} more`);
  return lines.length === 0 ? "nothing is built\n" : `${lines.join("\n")}\n`;
}

function jobText({ name, host, state, phases, startedMs, endedMs }: JobRow, nowMs: number): string {
  const where = host === "" ? "" : ` on ${host}`;
  const phase = phases.at(-1)?.name;
  const took = startedMs === undefined ? "" : ` ${durationWord((endedMs ?? nowMs) - startedMs)}`;
  if (state.kind === "failed") {
    return `failed   ${name}${where}: ${plainText(state.failure.text)}${
      phase === undefined ? "" : ` in ${phase}`
    }`;
  }
  if (state.kind === "waiting") return `waiting  ${name}: ${state.why}`;
  return `running  ${name}${where}${phase === undefined ? "" : ` ${phase}`}${took}`;
}
