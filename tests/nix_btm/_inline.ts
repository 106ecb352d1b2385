/** Recorded logs up to a moment, with the graph that the store would tell. For tests of what is shown. @module */
import { type Log, Monitor, type World } from "../../lib/nix_btm/mod.ts";
import { applyUpdate } from "../../lib/nix_btm/world.ts";
import type { Job } from "../../lib/nix/mod.ts";
import { type Scenario, scenario } from "../nix/_scenarios.ts";

/** When each recorded log begins. */
export const BEGIN_MS = Date.UTC(2026, 0, 2, 12, 0, 0);

/** Time of day of a replay, wherever the test runs. */
export function clockText(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

/** A log that is read line by line; each line takes `stepMs`. */
export class Replay {
  readonly scenario: Scenario;
  readonly monitor: Monitor;
  /** What was told of builds and messages. */
  readonly lines: { readonly job: Job; readonly text: string }[] = [];
  readonly messages: { readonly text: string; readonly level: number }[] = [];
  nowMs = BEGIN_MS;
  readonly #rows: readonly Uint8Array[];
  readonly #stepMs: number;
  readonly #log: Log;
  #at = 0;

  constructor(name: string, stepMs: number) {
    this.scenario = scenario(name);
    this.#rows = rowsOf(this.scenario.bytes);
    this.#stepMs = stepMs;
    this.monitor = new Monitor({
      now: () => this.nowMs,
      onLine: (job, text) => this.lines.push({ job, text }),
      onMessage: (text, level) => this.messages.push({ text, level }),
    });
    applyUpdate(this.world, { nodes: nodesOf(this.scenario) });
    this.#log = this.monitor.open({ source: "replay" });
  }

  get world(): World {
    return this.monitor.world;
  }

  /** Goes on to a part of the log, 0 to 1; with all of it the command is over. */
  to(part: number): this {
    for (const end = Math.floor(this.#rows.length * part); this.#at < end; this.#at++) {
      this.nowMs += this.#stepMs;
      this.#log.push(this.#rows[this.#at]!);
    }
    if (part === 1) this.#log.end(this.scenario.expected.exit_code);
    this.monitor.flush();
    return this;
  }
}

function rowsOf(bytes: Uint8Array): Uint8Array[] {
  const rows: Uint8Array[] = [];
  let from = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
    rows.push(bytes.subarray(from, end + 1));
    from = end + 1;
  }
  return rows;
}

/** Derivations as Nix showed them; outputs are told apart by their names, which copies have too. */
function nodesOf({ bytes, expected: { ground_truth } }: Scenario) {
  const inputs = new Map<string, string[]>();
  for (const [from, to] of ground_truth?.edges ?? []) {
    inputs.set(from, [...inputs.get(from) ?? [], to]);
    if (!inputs.has(to)) inputs.set(to, []);
  }
  const copied = new Map(
    [...new TextDecoder().decode(bytes).matchAll(/"fields":\["([^"]+)"[^\]]*\],"id":\d+[^\n]*"type":108\}/g)]
      .map(([, path]) => [path!.slice(path!.indexOf("-")), path!]),
  );
  return [...inputs].map(([path, list]) => {
    const out = copied.get(path.slice(path.indexOf("-"), -".drv".length));
    return { path, inputs: list, outputs: out === undefined ? {} : { out }, system: "x86_64-linux" };
  });
}
