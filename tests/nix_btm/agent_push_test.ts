/** A monitor that is fed by real Nix, and the telemetry agent that it tells. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { LoggedEvent } from "../../lib/events/mod.ts";
import type { Snapshot } from "../../lib/metrics/mod.ts";
import { AgentProcess, labelSets, total } from "../telemetry/_agent_process.ts";
import { failingChain, hasNix, NixPlace, single } from "../nix/_nix.ts";
import { until } from "../keeper/_log.ts";
import { DaemonProcess } from "./_daemon.ts";

const BUSY = "n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done";

/** The daemon sees builds of others on this machine too, of another run of this test among them. */
const HUNGRY = `cpu-hungry-${crypto.randomUUID().slice(0, 8)}`;

/** Of this test's build. */
function ownSets(snapshot: Snapshot): Readonly<Record<string, string>>[] {
  return labelSets(snapshot, "nix_build_cpu_usage").filter(({ derivation }) => derivation === HUNGRY);
}

async function eventsOf(agent: AgentProcess, since = 0): Promise<LoggedEvent[]> {
  return JSON.parse(new TextDecoder().decode(await agent.get(`/events?since=${since}`))).events;
}

Deno.test({
  name:
    "a fed daemon's metrics reach a real agent; CPU of a real build is there while it runs, and gone afterwards",
  ignore: !hasNix,
  async fn() {
    await using place = new NixPlace();
    const push = `${place.folder}/agent.sock`;
    const toml = `[defaults]\nenabled = false\n[external_metrics]\nenabled = true\nsocket_path = "${push}"\n`;
    await using agent = await AgentProcess.start(toml);
    await using daemon = await new DaemonProcess().start("--agent", push);
    const graph = single(HUNGRY, { gate: place.gate("end") });
    const script = `until [ -e ${place.gate("end")} ]; do ${BUSY}; done`;
    const nodes = graph.nodes.map(({ gate: _gate, ...node }) => ({ ...node, script }));
    const feed = place.feed(daemon.socket, place.build({ ...graph, nodes }));
    const output = feed.output();
    try {
      const used = async () => total(await agent.snapshot(), "nix_build_cpu_usage", { derivation: HUNGRY });
      await until("the build's CPU", async () => await used() > 0);
      const before = await used();
      await until("more of it", async () => await used() > before);
      const snapshot = await agent.snapshot();
      const { machine, user } = ownSets(snapshot)[0]!;
      deepStrictEqual([machine, user !== undefined], [Deno.hostname(), true]);
      ok(total(snapshot, "nix_build_memory", { derivation: HUNGRY }) > 0);
      strictEqual(total(snapshot, "nix_btm_builds_running"), 1);
      match(
        new TextDecoder().decode(await agent.get("/metrics/descriptions")),
        /"nix_build_cpu_usage":"CPU time of a running build/,
      );
    } finally {
      place.openGate("end");
    }
    strictEqual((await output).code, 0);
    await until("the end", async () => total(await agent.snapshot(), "nix_btm_builds_ended") === 1);
    await until(
      "its going",
      async () => ownSets(await agent.snapshot()).length === 0,
    );
    await until("three events", async () => (await eventsOf(agent)).length === 3);
    const events = await eventsOf(agent);
    deepStrictEqual(events.map(({ source, name, severity }) => [source, name, severity]), [
      ["nix-btm", "command", "info"],
      ["nix-btm", "build", "info"],
      ["nix-btm", "command", "info"],
    ]);
    match(events[1]!.text, new RegExp(`^${HUNGRY} built in \\d`));
    ok(events[1]!.durationMs! > 0);
    deepStrictEqual(await eventsOf(agent, events[1]!.id), [events[2]]);
  },
});

Deno.test({
  name: "a build of real Nix that fails is an event with its reason; an agent that comes later hears of it",
  ignore: !hasNix,
  async fn() {
    await using place = new NixPlace();
    const push = `${place.folder}/agent.sock`;
    await using daemon = await new DaemonProcess().start("--agent", push);
    strictEqual((await place.feed(daemon.socket, place.build(failingChain())).output()).code, 100);
    await using agent = await AgentProcess.start(
      `[defaults]\nenabled = false\n[external_metrics]\nenabled = true\nsocket_path = "${push}"\n`,
    );
    await until("the failure", async () => (await eventsOf(agent)).some(({ name }) => name === "build"));
    const failed = (await eventsOf(agent)).find(({ name, severity }) =>
      name === "build" && severity === "error"
    );
    match(failed!.text, /^chain-2 failed with exit code 3( after \S+)? in checkPhase$/);
  },
});
