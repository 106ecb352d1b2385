/** What a process says, as it says it. @module */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { pathOf } from "./api.ts";
import { Button, Segments, Toggle } from "./controls.tsx";
import { bytesText, countText } from "./format.ts";
import { Icon } from "./icons.tsx";
import { pageKeys } from "./keys.ts";
import { type LogLine, LogLines, type LogMark } from "./log_lines.ts";
import { LogSearch } from "./log_search.ts";
import { SearchStrip } from "./search_strip.tsx";
import type { Process } from "./state.ts";
import { words } from "./words.ts";

const LINES_AT_FIRST = 1_000;
const NEAR_END_PX = 40;
const AGAIN_MS = 2_000;

type Shown = "both" | "stdout" | "stderr";

/** Kept while one goes from one process to another. */
const choices = { wrap: true, times: true };

export function Log({ process: { id }, edit }: { process: Process; edit: () => void }) {
  const w = words.value;
  const box = useRef<HTMLDivElement>(null);
  const stream = useSignal<Shown>("both");
  const follows = useSignal(true);
  const wrap = useSignal(choices.wrap);
  const times = useSignal(choices.times);
  const onlyMatches = useSignal(false);
  const count = useSignal(0);
  const [{ list, search }] = useState(() => {
    const list = new LogLines((lines) => words.peek().lines(countText(lines)));
    return { list, search: new LogSearch(list, () => ({ id, stream: stream.peek() })) };
  });
  const isSearched = search.state.value.kind !== "none";

  const toEnd = () => {
    const { current } = box;
    if (current !== null) current.scrollTop = current.scrollHeight;
  };
  const added = () => {
    count.value = list.count;
    search.grown();
    if (follows.value) toEnd();
  };
  const goTo = async (by: 1 | -1) => {
    if (await search.goTo(by)) follows.value = false;
  };

  useLayoutEffect(() => {
    box.current!.querySelector(".lines")!.append(list.root);
    return () => search.end();
  }, []);
  useSignalEffect(() => {
    const shown = stream.value;
    return readLog(id, shown, {
      begin: (lines) => {
        list.clear();
        list.add(lines);
        search.again();
        added();
      },
      more: (lines) => {
        list.add(lines);
        added();
      },
    });
  });
  useSignalEffect(() => {
    choices.wrap = wrap.value;
    choices.times = times.value;
    // What was found has changed the height, too.
    search.state.value;
    onlyMatches.value;
    if (follows.peek()) toEnd();
  });
  useEffect(() => {
    pageKeys.value = {
      edit,
      follow: () => setFollows(!follows.value),
      wrap: () => wrap.value = !wrap.value,
      match: goTo,
    };
    return () => pageKeys.value = {};
  }, []);
  const setFollows = (value: boolean) => {
    follows.value = value;
    if (value) toEnd();
  };

  return (
    <section class="card log" aria-label={w.log}>
      <header>
        <h2>{w.log}</h2>
        <div class="search">
          <input
            type="search"
            placeholder={w.searchLog}
            aria-label={w.searchLog}
            onInput={(event) => search.search(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") void goTo(event.shiftKey ? -1 : 1);
            }}
          />
        </div>
        <div class="tools">
          <Segments
            label={w.stream}
            value={stream.value}
            choose={(value) => stream.value = value}
            options={(["both", "stdout", "stderr"] as const).map((value) => ({
              value,
              text: w.streams[value],
            }))}
          />
          <Toggle icon="clock" label={w.times} iconOnly value={times} />
          <Toggle icon="wrap" label={w.wrap} iconOnly value={wrap} />
          <Button
            icon="follow"
            label={w.follow}
            pressed={follows.value}
            onClick={() => setFollows(!follows.value)}
          />
        </div>
      </header>
      {isSearched && <SearchStrip search={search} goTo={goTo} onlyMatches={onlyMatches} />}
      <div
        ref={box}
        class={`scroll ${wrap.value ? "wraps" : ""} ${times.value ? "" : "timeless"}`}
        tabIndex={0}
        role="log"
        aria-label={w.log}
        aria-live="off"
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          follows.value = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
        }}
      >
        <div class={`lines ${isSearched && onlyMatches.value ? "only-matches" : ""}`} />
        {count.value === 0 && <p class="nothing">{w.noLog}</p>}
      </div>
      {!follows.value && (
        <button type="button" class="to-end" onClick={() => setFollows(true)}>
          <Icon name="follow" /> {w.newLines}
        </button>
      )}
    </section>
  );
}

/** Follows a log until the function that comes back is called. */
function readLog(
  id: string,
  stream: Shown,
  { begin, more }: {
    readonly begin: (lines: readonly (LogLine | LogMark)[]) => void;
    readonly more: (lines: readonly (LogLine | LogMark)[]) => void;
  },
): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource(
      `/api/processes${pathOf(id)}/logs/stream?stream=${stream}&lines=${LINES_AT_FIRST}`,
    );
    source.addEventListener("tail", ({ data }) => begin(JSON.parse(data)));
    source.addEventListener("lines", ({ data }) => more(JSON.parse(data)));
    source.addEventListener("run", ({ data }) => more([{ mark: words.peek().newRun(JSON.parse(data).run) }]));
    source.addEventListener("lost", ({ data }) => {
      more([{ mark: words.peek().lostBytes(bytesText(JSON.parse(data).bytes)) }]);
    });
    source.addEventListener("error", () => {
      // It tries by itself, but not after an answer that was no stream.
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
