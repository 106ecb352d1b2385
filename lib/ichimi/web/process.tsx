/** One process: what it is, what it uses, what it says. @module */
import { computed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { remove, start, stop } from "./acts.ts";
import { say } from "./api.ts";
import { Badge, Button, CopyButton, Empty } from "./controls.tsx";
import { bytesText, dateText, lineText, percentText, shortLineText, spanText } from "./format.ts";
import { Icon } from "./icons.tsx";
import { Log } from "./log.tsx";
import { isUp, phaseOf, sinceMs, stateOf } from "./phase.ts";
import { ProcessForm } from "./process_form.tsx";
import { formFor } from "./processes.tsx";
import { Span, Spark } from "./spark.tsx";
import { addressOf, byId, events, now, type Process } from "./state.ts";
import { EventRow } from "./timeline.tsx";
import { words } from "./words.ts";

const EVENTS_SHOWN = 30;

export function ProcessPage({ id }: { id: string }) {
  const w = words.value;
  const process = byId.value.get(id);
  if (process === undefined) {
    return (
      <Empty icon="search" title={w.notFound(id)}>
        <a class="button" href={addressOf("processes")}>{w.pages.processes}</a>
      </Empty>
    );
  }
  return (
    <>
      <Top process={process} />
      <div class="process">
        <aside>
          <Charts process={process} />
          <Facts process={process} />
          <Happened id={id} />
        </aside>
        <Log process={process} edit={() => formFor.value = process} />
      </div>
      {formFor.value === process && <ProcessForm of={process} onClose={() => formFor.value = undefined} />}
    </>
  );
}

function Top({ process }: { process: Process }) {
  const w = words.value;
  const { id, live: { value: live } } = process;
  const up = isUp(live);
  const isStopping = live.phase === "stopping";
  return (
    <header class="top">
      <a class="button quiet icon-only" href={addressOf("processes")} aria-label={w.back} title={w.back}>
        <Icon name="back" />
      </a>
      <h1>{id}</h1>
      <Badge phase={phaseOf(live)} />
      <div class="tools">
        {up
          ? <Button icon="stop" label={w.stop} disabled={isStopping} onClick={() => void stop(id)} />
          : <Button icon="start" label={w.start} kind="main" onClick={() => void start(id)} />}
        <Button
          icon="restart"
          label={w.restart}
          disabled={!up || isStopping}
          onClick={() => void start(id, "restart")}
        />
        <Button icon="edit" label={w.edit} iconOnly onClick={() => formFor.value = process} />
        <Button icon="remove" label={w.remove} iconOnly onClick={() => void remove(id)} />
      </div>
    </header>
  );
}

function Charts({ process }: { process: Process }) {
  const w = words.value;
  const up = isUp(process.live.value);
  return (
    <div class="charts">
      <section class="card stat" aria-label={w.cpu}>
        <h2>{w.cpu}</h2>
        <strong>{percentText(up ? process.cpu.value.at(-1) : undefined)}</strong>
        <Span />
        <Spark column={process.cpu} least={20} large />
      </section>
      <section class="card stat" aria-label={w.memory}>
        <h2>{w.memory}</h2>
        <strong>{bytesText(up ? process.memory.value.at(-1) : undefined)}</strong>
        <Span />
        <Spark column={process.memory} least={16 * 2 ** 20} tone="memory" large />
      </section>
    </div>
  );
}

function Facts({ process }: { process: Process }) {
  const w = words.value;
  const live = process.live.value;
  const { info } = live;
  const { Running, Stopped } = stateOf(live);
  const since = sinceMs(live);
  const line = lineText(info.command, info.args);
  const env = Object.entries(info.env);
  return (
    <section class="card">
      <dl class="facts">
        <Fact label={w.command}>
          <code title={line} ref={reachable}>{shortLineText(info)}</code>
          <CopyButton text={line} onCopied={() => say("good", w.copied)} />
        </Fact>
        {(info.cwd ?? info.project) != null && (
          <Fact label={w.folder}>
            <code ref={reachable}>{info.cwd ?? info.project}</code>
          </Fact>
        )}
        {Running !== undefined && <Fact label={w.pid}>{Running.pid}</Fact>}
        {since !== undefined && (
          <Fact label={w.since}>
            <span title={dateText(new Date(since).toISOString())}>{spanText(now.value - since)}</span>
          </Fact>
        )}
        {Stopped?.exit_code != null && <Fact label={w.exitCode}>{Stopped.exit_code}</Fact>}
        {info.detail !== undefined && (
          <Fact label={/^SIG/.test(info.detail) ? w.signal : w.reason}>{info.detail}</Fact>
        )}
        <Fact label={w.lifetime}>{w.lifetimes[info.lifetime]}</Fact>
        <Fact label={w.restartPolicy}>{w.restarts[info.restart ?? "never"]}</Fact>
        <Fact label={w.autoStart}>{info.auto_start_on_restore ? w.yes : w.no}</Fact>
        {info.input !== undefined && <Fact label={w.input}>{w.inputs[info.input]}</Fact>}
        {info.tags !== undefined && (
          <Fact label={w.tags}>
            {info.tags.map((tag) => <span key={tag} class="tag">{tag}</span>)}
          </Fact>
        )}
      </dl>
      {env.length > 0 && (
        <details>
          <summary>{w.environment} ({env.length})</summary>
          <dl class="facts env">
            {env.map(([name, value]) => (
              <Fact key={name} label={name}>
                <code ref={reachable}>{value}</code>
              </Fact>
            ))}
          </dl>
        </details>
      )}
    </section>
  );
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Happened({ id }: { id: string }) {
  const w = words.value;
  const own = useMemo(
    () => computed(() => events.value.filter((each) => each.process_id === id).slice(0, EVENTS_SHOWN)),
    [id],
  );
  if (own.value.length === 0) return null;
  return (
    <section class="card">
      <header>
        <h2>{w.recent}</h2>
      </header>
      <ol class="events">
        {own.value.map((event) => <EventRow key={event.number} event={event} named={false} />)}
      </ol>
    </section>
  );
}

/** What is too long for its place is scrolled with keys, too. */
function reachable(element: HTMLElement | null): void {
  if (element !== null && element.scrollHeight > element.clientHeight) element.tabIndex = 0;
}
