/** Texts that assistants and their person leave for each other. @module */
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { TypeOf } from "../../mcp/mod.ts";
import type { CLIP } from "../tools/schemas.ts";
import { ask, say } from "./api.ts";
import { Button, confirmed, CopyButton, Empty, Field } from "./controls.tsx";
import { dateText } from "./format.ts";
import { words } from "./words.ts";

type Clip = TypeOf<typeof CLIP>;

const LOOK_MS = 5_000;
const clips = signal<readonly Clip[] | undefined>(undefined);
const wanted = signal("");

async function load(): Promise<void> {
  const query = wanted.value.trim();
  const path = query === ""
    ? "/clipboard/history?limit=100"
    : `/clipboard/search?limit=100&query=${encodeURIComponent(query)}`;
  const found = await ask<{ readonly items: readonly Clip[] }>("GET", path);
  if (found === undefined || query !== wanted.value.trim()) return;
  const isSame = found.items.map(({ id }) => id).join() === clips.value?.map(({ id }) => id).join();
  if (!isSame) clips.value = found.items;
}

export function Clipboard() {
  const w = words.value;
  const text = useSignal("");
  useEffect(() => {
    void load();
    // Assistants put texts there without a word; only while somebody looks.
    const timer = setInterval(() => {
      if (!document.hidden) void load();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  const put = async (event: Event) => {
    event.preventDefault();
    if (text.value === "" || await ask("POST", "/clipboard/text", { content: text.value }) === undefined) {
      return;
    }
    text.value = "";
    await load();
  };
  const clear = async () => {
    const isMeant = await confirmed({ title: w.confirmClear, text: w.cannotUndo, action: w.clear });
    if (!isMeant) return;
    await ask("DELETE", "/clipboard");
    await load();
  };
  const found = clips.value ?? [];
  return (
    <>
      <header class="top">
        <h1>{w.pages.clipboard}</h1>
        <div class="tools">
          <input
            type="search"
            placeholder={w.search}
            aria-label={w.search}
            value={wanted.value}
            onInput={(event) => {
              wanted.value = event.currentTarget.value;
              void load();
            }}
          />
          <Button
            icon="remove"
            label={w.clear}
            disabled={found.length === 0}
            onClick={() => void clear()}
          />
        </div>
      </header>
      <form class="card put" onSubmit={(event) => void put(event)}>
        <Field label={w.newText} value={text} lines={3} />
        <Button icon="plus" label={w.put} kind="main" submits disabled={text.value === ""} />
      </form>
      {clips.value === undefined ? null : found.length === 0
        ? (
          wanted.value === ""
            ? <Empty icon="clipboard" title={w.noClips} more={w.noClipsMore} />
            : <Empty icon="search" title={w.noMatch} more={w.noMatchMore} />
        )
        : (
          <div class="clips">
            {found.map((clip) => (
              <section
                key={clip.id}
                class="card clip"
                aria-label={clip.filename ?? dateText(clip.created_at)}
              >
                <header>
                  {clip.filename !== null && <b>{clip.filename}</b>}
                  <time>{dateText(clip.created_at)}</time>
                  {clip.tags.map((tag) => <span key={tag} class="tag">{tag}</span>)}
                  <CopyButton text={clip.content} onCopied={() => say("good", w.copied)} />
                </header>
                <pre tabIndex={0}>{clip.content}</pre>
              </section>
            ))}
          </div>
        )}
    </>
  );
}
