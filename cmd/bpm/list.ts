/** `bpm list`, also as `bpm ps`: a table of the processes. `bpm graph`: what waits for what. @module */
import { sleep } from "../../lib/async/mod.ts";
import { type GraphEdge, graphText, processTable } from "../../lib/bpm/mod.ts";
import { type ProcessFacts } from "../../lib/services/mod.ts";
import { command, option, print } from "../../lib/cli/mod.ts";
import { toggle } from "../../lib/config/mod.ts";
import { ask, type Asking, jsonText, OPTIONS } from "./ask.ts";
import { openProject } from "./project.ts";

/** For so long CPU is measured. */
const SAMPLE_MS = 200;

/** What a process and all that it has started have used. */
interface Used {
  readonly name: string;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

export const list = listing("list", "list the processes with state, pid, CPU, memory and address");
export const ps = listing("ps", "list the processes, as list");

function listing(name: string, summary: string) {
  return command({
    name,
    summary,
    options: {
      ...OPTIONS,
      names: option(toggle({ help: "Only the names in the file; asks no manager.", fallback: false })),
    },
    examples: [[`bpm ${name}`, "A table"], [`bpm ${name} --json`, "All that is known, as data"]],
    async run({ options, signal }) {
      if (options.names) {
        const { config } = await openProject(options.dir ?? ".", options.config);
        print(Object.keys(config.process).map((each) => `${each}\n`).join(""));
        return 0;
      }
      const asking = { options, signal };
      const [{ structured }, used] = await Promise.all([ask("list", {}, asking), usedNow(asking)]);
      const { mode, services } = structured as { mode: string; services: ProcessFacts[] };
      const rows = services.map((each) => ({ ...each, ...used.get(each.name) }));
      print(options.json ? jsonText({ mode, services: rows }) : `${processTable(rows).join("\n")}\n`);
      return 0;
    },
  });
}

export const graph = command({
  name: "graph",
  summary: "show which process waits for which, and whether it has what it waits for",
  options: OPTIONS,
  examples: [["bpm graph", "A tree of what depends on what"]],
  async run({ options, signal }) {
    const asking = { options, signal };
    const [edges, nodes] = await Promise.all([ask("graph", {}, asking), ask("list", {}, asking)]);
    const { services } = nodes.structured as { services: ProcessFacts[] };
    print(
      options.json
        ? jsonText(edges.structured)
        : `${graphText(services, (edges.structured as { edges: GraphEdge[] }).edges).join("\n")}\n`,
    );
    return 0;
  },
});

/** What each uses now: two looks, since the time between those of others is not ours. */
async function usedNow(asking: Asking) {
  const look = async () => {
    const { services } = (await ask("usage", {}, asking)).structured as { services: Used[] };
    return { atMs: performance.now(), services };
  };
  const before = await look();
  await sleep(SAMPLE_MS, { signal: asking.signal });
  const { atMs, services } = await look();
  const seconds = (atMs - before.atMs) / 1_000;
  return new Map(services.map(({ name, cpuSeconds, memoryBytes, processes }) => {
    const last = before.services.find((each) => each.name === name);
    const cpuRatio = last === undefined ? null : Math.max(0, (cpuSeconds - last.cpuSeconds) / seconds);
    return [name, { cpuRatio, memoryBytes, processes }];
  }));
}
