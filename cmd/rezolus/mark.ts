/** `rezolus mark`: puts a mark on the charts of this host. @module */
import { AGENT_PUSH_SOCKET, tellAgent } from "../../lib/agent_client/push.ts";
import { command, option } from "../../lib/cli/mod.ts";
import { optionalDuration, text } from "../../lib/config/mod.ts";
import { SEVERITIES, type Severity } from "../../lib/events/mod.ts";

export const mark = command({
  name: "mark",
  summary: "put a mark on the charts of this host",
  description:
    "Tells the agent of an event: a deployment, a failover, the end of a backup. The live viewer shows it on every " +
    "chart, and in its list. The agent takes events where it takes metrics: [external_metrics], or agent --push.",
  positionals: [{ name: "TEXT", help: "what happened, in one line" }],
  options: {
    source: option(text({ help: "The tool that tells.", fallback: "shell" }), { value: "NAME" }),
    name: option(text({ help: "What kind of thing it is.", fallback: "mark" }), { value: "NAME" }),
    severity: option(text({ help: "How bad it is.", fallback: "info", oneOf: SEVERITIES }), {
      value: "SEVERITY",
      complete: SEVERITIES,
    }),
    took: option(optionalDuration({ help: "How long that which ended had taken.", example: "90s" }), {
      value: "DURATION",
    }),
    socket: option(text({ help: "The agent's socket.", fallback: AGENT_PUSH_SOCKET }), {
      value: "PATH",
      complete: "file",
    }),
  },
  examples: [
    ["rezolus mark 'web 1.4.2 deployed' --source deploy", "After a deployment"],
    ["rezolus mark 'backup failed' --severity error --took 12m", "Where a script ends"],
  ],
  async run({ args: [what], options: { source, name, severity, took, socket } }) {
    const duration = took === undefined ? {} : { durationMs: took };
    await tellAgent(socket, {
      timeMs: Date.now(),
      source,
      name,
      text: what!,
      severity: severity as Severity,
      ...duration,
    });
    return 0;
  },
});
