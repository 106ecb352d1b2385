/** Everything at a glance. @module */
import { computed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Badge, Empty } from "./controls.tsx";
import { bytesText, percentText, spanText } from "./format.ts";
import { Icon } from "./icons.tsx";
import { groupOf, phaseOf, sinceMs, stateOf } from "./phase.ts";
import { begin } from "./settings.ts";
import { Span, Spark } from "./spark.tsx";
import {
  addressOf,
  assistants,
  daemonStartMs,
  events,
  machineCpu,
  machineMemory,
  managerMemory,
  now,
  type Process,
  processes,
} from "./state.ts";
import { EventRow } from "./timeline.tsx";
import { words } from "./words.ts";

const BUSIEST = 8;
const RECENT = 12;

const counts = computed(() => {
  const found = { running: 0, stopped: 0, failed: 0 };
  for (const { live } of processes.value) found[groupOf(live.value)]++;
  return found;
});
const total = (what: "cpu" | "memory") =>
  computed(() => processes.value.reduce((sum, each) => sum + (each[what].value.at(-1) ?? 0), 0));
const allCpu = total("cpu");
const allMemory = total("memory");

const busiest = computed(() =>
  processes.value.filter(({ live }) => groupOf(live.value) === "running")
    .map((process) => ({
      process,
      cpu: average(process.cpu.value),
      memory: process.memory.value.at(-1) ?? 0,
    }))
    .sort((a, b) => b.cpu - a.cpu || b.memory - a.memory).slice(0, BUSIEST).map(({ process }) => process)
);
const failed = computed(() => processes.value.filter(({ live }) => groupOf(live.value) === "failed"));

/** Of the last looks, so that the order does not jump. */
function average(column: readonly (number | null)[]): number {
  const last = column.slice(-5).filter((each) => each !== null);
  return last.length === 0 ? 0 : last.reduce((sum, each) => sum + each, 0) / last.length;
}

export function Dashboard() {
  const w = words.value;
  return (
    <>
      <header class="top">
        <h1>{w.pages.dashboard}</h1>
      </header>
      <div class="stats">
        <Running />
        <Stat
          label={w.cpu}
          value={percentText(machineCpu.value.at(-1))}
          more={w.byProcesses(percentText(allCpu.value))}
        >
          <Span />
          <Spark column={machineCpu} least={25} large />
        </Stat>
        <Stat
          label={w.memory}
          value={percentText(machineMemory.value.at(-1))}
          more={w.byProcesses(bytesText(allMemory.value))}
        >
          <Span />
          <Spark column={machineMemory} least={50} tone="memory" large />
        </Stat>
        <Stat
          label={w.daemon}
          value={spanText(now.value - daemonStartMs.value)}
          more={`${w.uptime} · ${bytesText(managerMemory.value || null)} · v${begin.version}`}
        >
          {assistants.value !== undefined && (
            <p class="assistants">
              <b>{assistants.value}</b> {w.assistants(assistants.value)}
            </p>
          )}
        </Stat>
      </div>
      <div class="columns">
        <div>
          <Attention />
          <section class="card">
            <header>
              <h2>{w.busiest}</h2>
              {busiest.value.length > 0 && <Span />}
              <a href={addressOf("processes")}>{w.seeAll}</a>
            </header>
            {busiest.value.length === 0 ? <Empty icon="processes" title={w.noneRuns} /> : (
              <ul class="ranking">
                {busiest.value.map((process) => <BusyRow key={process.id} process={process} />)}
              </ul>
            )}
          </section>
        </div>
        <section class="card">
          <header>
            <h2>{w.recent}</h2>
            <a href={addressOf("timeline")}>{w.seeAll}</a>
          </header>
          {events.value.length === 0
            ? <Empty icon="timeline" title={w.noEvents} more={w.noEventsMore} />
            : (
              <ol class="events">
                {events.value.slice(0, RECENT).map((event) => <EventRow key={event.number} event={event} />)}
              </ol>
            )}
        </section>
      </div>
    </>
  );
}

function Stat(
  { label, value, more, children }: {
    label: string;
    value: string;
    more: string;
    children?: ComponentChildren;
  },
) {
  return (
    <section class="card stat" aria-label={label}>
      <h2>{label}</h2>
      <strong>{value}</strong>
      <small>{more}</small>
      {children}
    </section>
  );
}

function Running() {
  const w = words.value;
  const { running, stopped, failed } = counts.value;
  return (
    <section class="card stat" aria-label={w.running}>
      <h2>{w.running}</h2>
      <strong>{running}</strong>
      <small>{w.ofAll(running + stopped + failed)}</small>
      <div class="parts" aria-hidden="true">
        {([["good", running], ["idle", stopped], ["bad", failed]] as const).map(([tone, count]) =>
          count > 0 && <i key={tone} class={tone} style={{ flexGrow: String(count) }} />
        )}
      </div>
      <ul class="legend">
        <li>
          <i class="good" />
          {w.states.running} <b>{running}</b>
        </li>
        <li>
          <i class="idle" />
          {w.states.stopped} <b>{stopped}</b>
        </li>
        <li>
          <i class="bad" />
          {w.states.failed} <b>{failed}</b>
        </li>
      </ul>
    </section>
  );
}

function Attention() {
  const w = words.value;
  if (failed.value.length === 0) return null;
  return (
    <section class="card attention">
      <header>
        <h2>
          <Icon name="alert" /> {w.needsAttention}
        </h2>
      </header>
      <ul class="ranking">
        {failed.value.slice(0, BUSIEST).map((process) => {
          const live = process.live.value;
          const since = sinceMs(live);
          return (
            <li key={process.id}>
              <a href={addressOf("processes", process.id)}>{process.id}</a>
              <Badge phase={phaseOf(live)} />
              <span class="reason">{reasonOf(process)}</span>
              <time>{since === undefined ? "" : w.ago(spanText(now.value - since))}</time>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Why it is as it is: a signal, an exit code, or what the system said. */
function reasonOf({ live: { value: live } }: Process): string {
  const code = stateOf(live).Stopped?.exit_code;
  if (live.info.detail !== undefined) return live.info.detail;
  return code == null ? "" : `${words.value.exitCode} ${code}`;
}

function BusyRow({ process }: { process: Process }) {
  return (
    <li>
      <a href={addressOf("processes", process.id)}>{process.id}</a>
      <Spark column={process.cpu} least={20} />
      <span class="figure">{percentText(process.cpu.value.at(-1))}</span>
      <Spark column={process.memory} least={32 * 2 ** 20} tone="memory" />
      <span class="figure">{bytesText(process.memory.value.at(-1))}</span>
    </li>
  );
}
