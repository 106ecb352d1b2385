/** What a search in a log has found, and the way through it. @module */
import type { Signal } from "@preact/signals";
import { Button, Toggle } from "./controls.tsx";
import { countText } from "./format.ts";
import { Icon } from "./icons.tsx";
import type { LogSearch, SearchState } from "./log_search.ts";
import { words } from "./words.ts";

export function SearchStrip(
  { search, goTo, onlyMatches }: {
    search: LogSearch;
    goTo: (by: 1 | -1) => Promise<void>;
    onlyMatches: Signal<boolean>;
  },
) {
  const w = words.value;
  const state = search.state.value;
  const { older } = search;
  const isFound = state.kind === "found" && state.matches > 0;
  return (
    <div class={`found ${state.kind}`}>
      {state.kind === "searching"
        ? <i class="spinner" />
        : <Icon name={state.kind === "failed" ? "alert" : "search"} />}
      <span role="status">{textOf(state)}</span>
      {isFound && (
        <div class="ways">
          {older > 0 && (
            <Button
              icon="up"
              label={w.olderMatches(countText(older))}
              kind="quiet"
              onClick={() => void search.showOlder()}
            />
          )}
          <Button icon="up" label={w.previous} iconOnly kind="quiet" onClick={() => void goTo(-1)} />
          <Button icon="down" label={w.next} iconOnly kind="quiet" onClick={() => void goTo(1)} />
          <Toggle icon="filter" label={w.onlyMatches} kind="quiet" value={onlyMatches} />
        </div>
      )}
    </div>
  );
}

function textOf(state: SearchState): string {
  const w = words.value;
  switch (state.kind) {
    case "none":
      return "";
    case "searching":
      return w.searching;
    case "failed":
      return w.cannotSearch(state.reason);
    case "found":
      return state.matches === 0
        ? w.noMatches(countText(state.searched))
        : w.matches(countText(state.at), countText(state.matches), countText(state.searched));
    default:
      return state satisfies never;
  }
}
