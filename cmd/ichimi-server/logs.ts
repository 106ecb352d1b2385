/** `ichimi-server logs`: what a process says. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { integer, text, toggle } from "../../lib/config/mod.ts";
import { JSON_OPTION, PROCESS } from "./ask.ts";

const STREAMS = ["both", "stdout", "stderr"] as const;

export const logs = command({
  name: "logs",
  summary: "show what a process has said, and follow it",
  description:
    "Following goes on over restarts of the process and of the daemon, and ends when the process is removed.",
  positionals: [PROCESS],
  options: {
    lines: option(integer({ help: "The last so many.", fallback: 100, min: 0, max: 100_000 }), {
      short: "n",
      value: "LINES",
    }),
    follow: option(toggle({ help: "Goes on with what comes.", fallback: false }), { short: "f" }),
    stream: option(text({ help: "Only one of them.", fallback: "both", oneOf: STREAMS }), {
      value: "STREAM",
      complete: STREAMS,
    }),
    json: JSON_OPTION,
  },
  examples: [
    ["ichimi-server logs web -n 20", "The last lines"],
    ["ichimi-server logs -f web", "And what comes"],
  ],
  async run({ args: [id = ""], options: { lines, follow, stream, json }, signal }) {
    if (!follow) {
      const { ask } = await import("./ask.ts");
      const name = stream[0]!.toUpperCase() + stream.slice(1);
      const { structured } = await ask("get_process_output", { id, stream: name, lines }, { signal });
      show((structured as { readonly lines: readonly Line[] }).lines, json);
      return 0;
    }
    const { followLog } = await import("./follow.ts");
    await followLog({ id, stream, lines, signal }, {
      lines: (found) => show(found, json),
      aside: (words) => console.error(`ichimi-server: ${words}`),
    });
    return 0;
  },
});

interface Line {
  readonly timeMs: number;
  readonly stream: string;
  readonly text: string;
}

function show(lines: readonly Line[], json: boolean): void {
  print(lines.map((line) => json ? `${JSON.stringify(line)}\n` : `${line.text}\n`).join(""));
}
