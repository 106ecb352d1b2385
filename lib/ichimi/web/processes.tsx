/** The list of processes. @module */
import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { remove, start, stop } from "./acts.ts";
import { Badge, Button, Empty, Segments } from "./controls.tsx";
import { bytesText, percentText, shortLineText, spanText } from "./format.ts";
import { Icon } from "./icons.tsx";
import { pageKeys, selected } from "./keys.ts";
import { groupOf, isUp, phaseOf, sinceMs } from "./phase.ts";
import { ProcessForm } from "./process_form.tsx";
import { Span, Spark } from "./spark.tsx";
import { addressOf, go, now, type Process, processes } from "./state.ts";
import { words } from "./words.ts";

type Column = "name" | "state" | "cpu" | "memory" | "since";
type Group = "all" | "running" | "stopped" | "failed";

const filter = signal("");
const group = signal<Group>("all");
const sorting = signal<{ readonly by: Column; readonly isDown: boolean } | undefined>(undefined);
/** The process whose form is open; `new` is one that is not there yet. */
export const formFor = signal<Process | "new" | undefined>(undefined);

const counts = computed(() => {
  const found = { all: processes.value.length, running: 0, stopped: 0, failed: 0 };
  for (const { live } of processes.value) found[groupOf(live.value)]++;
  return found;
});

const shown = computed(() => {
  const text = filter.value.trim().toLowerCase();
  const found = processes.value.filter(({ live: { value } }) => {
    if (group.value !== "all" && groupOf(value) !== group.value) return false;
    const { id, command, args, tags = [] } = value.info;
    return text === "" || [id, command, ...args, ...tags].some((each) => each.toLowerCase().includes(text));
  });
  const { value: order } = sorting;
  if (order === undefined) return found;
  const keyed = found.map((process) => ({ process, key: KEYS[order.by](process) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) * (order.isDown ? -1 : 1));
  return keyed.map(({ process }) => process);
});

/** By what a column is sorted. */
const KEYS: Readonly<Record<Column, (process: Process) => string | number>> = {
  name: ({ id }) => id.toLowerCase(),
  state: ({ live }) => ["failed", "running", "stopped"].indexOf(groupOf(live.value)),
  cpu: ({ cpu }) => cpu.value.at(-1) ?? -1,
  memory: ({ memory }) => memory.value.at(-1) ?? -1,
  since: ({ live }) => -(sinceMs(live.value) ?? 0),
};
/** Those of which one looks for the largest first. */
const DOWN_FIRST: ReadonlySet<Column> = new Set(["cpu", "memory"]);

function sortBy(by: Column): void {
  const before = sorting.value;
  const first = DOWN_FIRST.has(by);
  if (before?.by !== by) sorting.value = { by, isDown: first };
  else sorting.value = before.isDown === first ? { by, isDown: !first } : undefined;
}

export function Processes() {
  const w = words.value;
  useEffect(() => {
    pageKeys.value = {
      list: () => shown.value,
      create: () => formFor.value = "new",
      edit: (process) => formFor.value = process,
    };
    return () => pageKeys.value = {};
  }, []);
  return (
    <>
      <header class="top">
        <h1>{w.pages.processes}</h1>
        <span class="total">{w.count(shown.value.length, processes.value.length)}</span>
        <div class="tools">
          <input
            type="search"
            placeholder={w.filter}
            aria-label={w.filter}
            value={filter.value}
            onInput={(event) => filter.value = event.currentTarget.value}
          />
          <Segments
            label={w.state}
            value={group.value}
            choose={(value) => group.value = value}
            options={(["all", "running", "stopped", "failed"] as const).map((value) => ({
              value,
              text: w.states[value],
              count: counts.value[value],
            }))}
          />
          <Button icon="plus" label={w.newProcess} kind="main" onClick={() => formFor.value = "new"} />
        </div>
      </header>
      {processes.value.length === 0
        ? (
          <Empty icon="processes" title={w.noProcesses} more={w.noProcessesMore}>
            <Button icon="plus" label={w.newProcess} kind="main" onClick={() => formFor.value = "new"} />
          </Empty>
        )
        : shown.value.length === 0
        ? <Empty icon="search" title={w.noMatch} more={w.noMatchMore} />
        : (
          <div class="card table">
            <table>
              <thead>
                <tr>
                  <Head column="name" text={w.name} />
                  <Head column="state" text={w.state} />
                  <Head column="cpu" text={w.cpu} />
                  <Head column="memory" text={w.memory} />
                  <Head column="since" text={w.since} />
                  <th class="acts">
                    <span class="unseen">{w.actions}</span>
                  </th>
                </tr>
              </thead>
              <tbody>{shown.value.map((process) => <Row key={process.id} process={process} />)}</tbody>
            </table>
          </div>
        )}
      {formFor.value !== undefined && (
        <ProcessForm
          of={formFor.value}
          onClose={() => formFor.value = undefined}
        />
      )}
    </>
  );
}

function Head({ column, text }: { column: Column; text: string }) {
  const order = sorting.value?.by === column ? sorting.value : undefined;
  return (
    <th
      class={column}
      aria-sort={order === undefined ? undefined : order.isDown ? "descending" : "ascending"}
    >
      <button type="button" onClick={() => sortBy(column)}>
        {text}
        {order !== undefined && <Icon name={order.isDown ? "down" : "up"} />}
        {(column === "cpu" || column === "memory") && <Span />}
      </button>
    </th>
  );
}

function Row({ process }: { process: Process }) {
  const w = words.value;
  const { id, live: { value: live } } = process;
  const { tags = [] } = live.info;
  const up = isUp(live);
  return (
    <tr
      class={selected.value === id ? "selected" : ""}
      aria-current={selected.value === id ? "true" : undefined}
      onClick={(event) => {
        if ((event.target as HTMLElement).closest("a, button") === null) go("processes", id);
      }}
    >
      <td class="name">
        <a href={addressOf("processes", id)}>{id}</a>
        {tags.map((tag) => <span key={tag} class="tag">{tag}</span>)}
        <code>{shortLineText(live.info)}</code>
      </td>
      <td class="state">
        <Badge phase={phaseOf(live)} />
      </td>
      <td class="cpu">
        <Usage process={process} what="cpu" />
      </td>
      <td class="memory">
        <Usage process={process} what="memory" />
      </td>
      <td class="since">
        <Since process={process} />
      </td>
      <td class="acts">
        <Button
          icon={up ? "stop" : "start"}
          label={up ? w.stop : w.start}
          iconOnly
          kind="quiet"
          disabled={live.phase === "stopping"}
          onClick={() => void (up ? stop(id) : start(id))}
        />
        <Button
          icon="restart"
          label={w.restart}
          iconOnly
          kind="quiet"
          disabled={!up || live.phase === "stopping"}
          onClick={() => void start(id, "restart")}
        />
        <Button icon="remove" label={w.remove} iconOnly kind="quiet" onClick={() => void remove(id)} />
      </td>
    </tr>
  );
}

/** Drawn again with each look, and nothing beside it. */
function Usage({ process, what }: { process: Process; what: "cpu" | "memory" }) {
  const column = process[what];
  const value = isUp(process.live.value) ? column.value.at(-1) : undefined;
  return (
    <div class="usage">
      <Spark column={column} least={what === "cpu" ? 20 : 32 * 2 ** 20} tone={what} />
      <span class="figure">{what === "cpu" ? percentText(value) : bytesText(value)}</span>
    </div>
  );
}

function Since({ process }: { process: Process }) {
  const since = sinceMs(process.live.value);
  return <time>{since === undefined ? "–" : spanText(now.value - since)}</time>;
}
