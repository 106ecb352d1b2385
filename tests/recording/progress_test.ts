/** The line that tells how a recording goes. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { progressLine, ProgressOutput, tickText } from "../../cmd/rezolus/progress.ts";

const endpoint = (name: string, ticks: number, missed = 0, away = false) => ({ name, ticks, missed, away });

Deno.test("the line tells time, ticks and what is missing, of each endpoint where there are several", () => {
  const one = [endpoint("rezolus", 42, 1)];
  strictEqual(
    progressLine({ elapsedMs: 42_900, durationMs: 300_000, endpoints: one }, 80),
    "recording 0:42 of 5:00 · 42 ticks, 1 missed",
  );
  strictEqual(
    progressLine({ elapsedMs: 3_723_000, endpoints: one }, 80),
    "recording 1:02:03 · 42 ticks, 1 missed",
  );
  const two = [endpoint("web1", 1), endpoint("web2", 0, 3, true)];
  strictEqual(
    progressLine({ elapsedMs: 3_000, endpoints: two }, 80),
    "recording 0:03 · web1 1 tick · web2 0 ticks, 3 missed, away",
  );
  strictEqual(progressLine({ elapsedMs: 3_000, endpoints: two }, 20), "recording 0:03 · w…");
  strictEqual(tickText(endpoint("a", 2)), "2 ticks");
});

Deno.test("lines that stay are written above the one that is written over; without a terminal there is none", () => {
  const written: string[] = [];
  const output = new ProgressOutput((text) => written.push(text), () => 80);
  const state = { elapsedMs: 1_000, endpoints: [endpoint("a", 1)] };
  output.line("first");
  output.show(state);
  output.line("second");
  output.done();
  output.done();
  output.line("third");
  deepStrictEqual(written, [
    "first\n",
    "\r\x1b[Krecording 0:01 · 1 tick",
    "\r\x1b[Ksecond\nrecording 0:01 · 1 tick",
    "\r\x1b[K",
    "third\n",
  ]);
  const plain: string[] = [];
  const quiet = new ProgressOutput((text) => plain.push(text));
  quiet.show(state);
  quiet.line("only");
  quiet.done();
  deepStrictEqual(plain, ["only\n"]);
});
