/** Runs the TUI on a screen. Shell. @module */
import { runProgram, type Screen } from "../tui/mod.ts";
import { Effects } from "./effects.ts";
import { type Effect, type Model, type ServerEvent, startModel } from "./model.ts";
import { update } from "./update.ts";
import { view } from "./view.ts";

/** What to look at. */
export interface TuiOptions {
  /** Addresses of managers, at least one; the first is seen first. */
  readonly urls: readonly string[];
  /** What servers that want one are told. */
  readonly token?: string | undefined;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Shows managers until the user quits or `signal` fires. */
export async function runTui({ urls, token, screen, signal }: TuiOptions): Promise<void> {
  const effects = new Effects(urls, screen, { token });
  await runProgram<Model, ServerEvent, Effect>({
    model: startModel(urls, { depth: screen.depth, nowMs: Date.now() }),
    update,
    view,
    ended: ({ ended }) => ended,
    perform: (effect, tell, stop) => effects.perform(effect, tell, stop),
  }, { screen, signal, begin: [{ kind: "beginTicking" }] });
}
