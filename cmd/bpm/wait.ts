/** `bpm wait`: for scripts, until something holds of a process. @module */
import { command, option, print, UsageError } from "../../lib/cli/mod.ts";
import { duration, optionalInteger, optionalText, toggle } from "../../lib/config/mod.ts";
import { STATE_KINDS } from "../../lib/supervisor/mod.ts";
import { ask, jsonText, OPTIONS, PROCESS } from "./ask.ts";

/** One call of the tool waits at most so long; more are made. */
const CALL_SECONDS = 300;
const NOT_MET = 1;

export const wait = command({
  name: "wait",
  summary: "wait until something holds of a process",
  description:
    "Exactly one of --state, --pattern, --port and --exit says what for; without any, until it is ready. " +
    "Ends with 0 when that holds, with 1 when it does not in time or cannot be waited for.",
  positionals: [PROCESS],
  options: {
    ...OPTIONS,
    state: option(optionalText({ help: "Until it is in this state.", example: "running" }), {
      short: "s",
      value: "STATE",
      complete: STATE_KINDS,
    }),
    pattern: option(
      optionalText({
        help: "Until a line of its newest instance matches this regular expression.",
        example: "listening on",
      }),
      { short: "p", value: "REGEX" },
    ),
    port: option(
      optionalInteger({
        help: "Until this port of 127.0.0.1 takes connections.",
        example: "8080",
        min: 1,
        max: 65_535,
      }),
      { value: "PORT" },
    ),
    exit: option(toggle({ help: "Until it does not run any more.", fallback: false })),
    timeout: option(duration({ help: "So long at most.", fallback: "60s" }), {
      short: "t",
      value: "DURATION",
    }),
  },
  examples: [
    ["bpm wait api", "Until api is ready"],
    ["bpm wait api --pattern 'listening on' --timeout 2m", "Until it says so"],
    ["bpm wait migrate --exit && bpm start api", "One after the other"],
  ],
  async run({ args: [process], options, signal }) {
    const { state, pattern, port, exit, timeout } = options;
    const asked = {
      ...(state === undefined ? {} : { state }),
      ...(pattern === undefined ? {} : { pattern }),
      ...(port === undefined ? {} : { port }),
      ...(exit ? { exit } : {}),
    };
    const given = Object.keys(asked).length;
    if (given > 1) throw new UsageError("give one of --state, --pattern, --port and --exit");
    const what = given === 0 ? { state: "running" } : asked;
    const endMs = performance.now() + timeout;
    for (;;) {
      const leftSeconds = Math.max(0, endMs - performance.now()) / 1_000;
      const seconds = Math.min(CALL_SECONDS, leftSeconds);
      const { structured, text } = await ask("wait", { process, ...what, timeout_seconds: seconds }, {
        options,
        signal,
      });
      const { met } = structured as { met: boolean };
      if (!met && leftSeconds > CALL_SECONDS) continue;
      print(options.json ? jsonText(structured) : `${met ? text : notMet(text, timeout)}\n`);
      return met ? 0 : NOT_MET;
    }
  },
});

/** The last call's time is not the whole. */
function notMet(text: string, timeoutMs: number): string {
  return text.replace(/^Not within [\d.]+ s/, `Not within ${timeoutMs / 1_000} s`);
}
