/** The keys of the page: one list for what they do and for the help that tells it. @module */
import { signal } from "@preact/signals";
import { remove, start, toggle } from "./acts.ts";
import { toggleLanguage, toggleTheme } from "./settings.ts";
import { byId, go, helpOpen, page, PAGES, place, type Process } from "./state.ts";
import type { Words } from "./words_en.ts";

/** What the page that is shown does on a key; each sets its own and takes it back. */
export interface PageKeys {
  /** Processes in the order in which they are listed. */
  readonly list?: () => readonly Process[];
  readonly create?: () => void;
  readonly edit?: (process: Process) => void;
  readonly follow?: () => void;
  readonly wrap?: () => void;
  readonly match?: (by: 1 | -1) => void;
}

export const pageKeys = signal<PageKeys>({});
/** The process that keys are about, in the list. */
export const selected = signal<string | undefined>(undefined);

interface KeyBinding {
  readonly keys: readonly string[];
  /** How the help shows them. */
  readonly show: readonly string[];
  readonly does: keyof Words["keys"];
  run(key: string): void;
}

export const KEYS: readonly KeyBinding[] = [
  {
    keys: PAGES.map((_, index) => `${index + 1}`),
    show: ["1", "–", `${PAGES.length}`],
    does: "pages",
    run: (key) => go(PAGES[Number(key) - 1]!),
  },
  {
    keys: ["/"],
    show: ["/"],
    does: "filter",
    run: () => document.querySelector<HTMLInputElement>("input[type=search]")?.focus(),
  },
  { keys: ["j", "k", "ArrowDown", "ArrowUp"], show: ["j", "k"], does: "move", run: move },
  {
    keys: ["Enter"],
    show: ["Enter"],
    does: "open",
    run: () => selected.value !== undefined && go("processes", selected.value),
  },
  { keys: ["c"], show: ["c"], does: "create", run: () => pageKeys.value.create?.() },
  { keys: ["s"], show: ["s"], does: "toggle", run: () => about((process) => void toggle(process)) },
  { keys: ["r"], show: ["r"], does: "restart", run: () => about(({ id }) => void start(id, "restart")) },
  { keys: ["e"], show: ["e"], does: "edit", run: () => about((process) => pageKeys.value.edit?.(process)) },
  { keys: ["Delete"], show: ["Del"], does: "remove", run: () => about(({ id }) => void remove(id)) },
  { keys: ["f"], show: ["f"], does: "follow", run: () => pageKeys.value.follow?.() },
  { keys: ["w"], show: ["w"], does: "wrap", run: () => pageKeys.value.wrap?.() },
  {
    keys: ["n", "N"],
    show: ["n", "N"],
    does: "match",
    run: (key) => pageKeys.value.match?.(key === "n" ? 1 : -1),
  },
  { keys: ["t"], show: ["t"], does: "theme", run: toggleTheme },
  { keys: ["l"], show: ["l"], does: "language", run: toggleLanguage },
  { keys: ["?"], show: ["?"], does: "help", run: () => helpOpen.value = true },
  { keys: ["Escape"], show: ["Esc"], does: "escape", run: escape },
];

/** Listens to the keyboard; keys meant for a field, a dialog or with a modifier are left alone. */
export function bindKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null) {
      return;
    }
    const target = event.target instanceof HTMLElement ? event.target : undefined;
    if (target?.closest("input, textarea, select") != null) {
      if (event.key === "Escape") leave(target);
      return;
    }
    const isOfButton = event.key === "Enter" && target?.closest("a, button") != null;
    const binding = KEYS.find(({ keys }) => keys.includes(event.key));
    if (binding === undefined || isOfButton) return;
    if (["move", "open"].includes(binding.does) && pageKeys.value.list === undefined) return;
    event.preventDefault();
    binding.run(event.key);
  });
}

/** Empties a field in which something is searched; then goes out of it. */
function leave(field: HTMLElement): void {
  if (field instanceof HTMLInputElement && field.type === "search" && field.value !== "") {
    field.value = "";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  field.blur();
}

/** The process that is open, or else the one that is selected. */
function about(act: (process: Process) => void): void {
  const { page, item } = place.value;
  if (page !== "processes") return;
  const process = byId.value.get(item ?? selected.value ?? "");
  if (process !== undefined) act(process);
}

function move(key: string): void {
  const list = pageKeys.value.list?.() ?? [];
  if (list.length === 0) return;
  const by = key === "j" || key === "ArrowDown" ? 1 : -1;
  const at = list.findIndex(({ id }) => id === selected.value);
  const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + by));
  selected.value = list[next]!.id;
  requestAnimationFrame(() => document.querySelector("tr.selected")?.scrollIntoView({ block: "nearest" }));
}

function escape(): void {
  if (page.value === "processes" && place.value.item !== undefined) go("processes");
  else selected.value = undefined;
}
