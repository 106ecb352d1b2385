/** `rezolus status`: what works on an agent's host, and why the rest does not. @module */
import { command, option } from "../../lib/cli/mod.ts";
import { toggle } from "../../lib/config/mod.ts";
import type { AgentStatus } from "../../lib/telemetry/mod.ts";
import { DEFAULT_AGENT_URL } from "./words.ts";

export const status = command({
  name: "status",
  summary: "show what an agent samples, and why the rest is off",
  positionals: [{
    name: "URL",
    help: `agent, or the path of its socket [default: ${DEFAULT_AGENT_URL}]`,
    optional: true,
  }],
  options: { json: option(toggle({ help: "Prints JSON.", fallback: false })) },
  examples: [["rezolus status", "The agent of this host"]],
  async run({ args: [url = DEFAULT_AGENT_URL], options, signal }) {
    const { AgentClient, parseAgentAddress } = await import("../../lib/agent_client/mod.ts");
    using client = new AgentClient(parseAgentAddress(url));
    const answer = await client.get("/status", signal).catch((cause) => {
      throw new Error(`Cannot ask agent ${url} for its state: ${cause.message}`, { cause });
    });
    const found = parseStatus(new TextDecoder().decode(answer), url);
    if (options.json) console.log(JSON.stringify(found, undefined, 2));
    else for (const line of statusLines(found)) console.log(line);
    return found.samplers.some(({ state }) => state === "failed") ? 1 : 0;
  },
});

/** @throws {SyntaxError} When what answers at `url` is no agent of ours. */
function parseStatus(text: string, url: string): AgentStatus {
  let found: AgentStatus | undefined;
  try {
    found = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // Told below, as other shapes are.
  }
  if (Array.isArray(found?.samplers) && Array.isArray(found.bpf)) return found;
  throw new SyntaxError(
    `Cannot read state of agent ${url}: its answer begins ${
      JSON.stringify(text.slice(0, 40))
    }, expected samplers`,
  );
}

/** The status as a person reads it. */
function statusLines(found: AgentStatus): string[] {
  const width = Math.max(...found.samplers.map(({ name }) => name.length));
  const mib = found.bpf.reduce((sum, { map_bytes }) => sum + map_bytes, 0) / 2 ** 20;
  return [
    `agent ${found.version} on Linux ${found.kernel}, up ${found.uptime_seconds} s, BPF maps ${
      mib.toFixed(1)
    } MiB`,
    ...found.samplers.flatMap(({ name, state, reason, programs }) => {
      const variants = [...new Set(programs.flatMap(({ variant }) => variant ?? []))].join(", ");
      return [`  ${name.padEnd(width)}  ${state.padEnd(11)}  ${reason ?? variants}`.trimEnd()];
    }),
  ];
}
