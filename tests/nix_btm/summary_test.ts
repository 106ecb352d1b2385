/** A world in a few lines, as status and the assistants' tools tell it. */
import { strictEqual } from "node:assert/strict";
import { Monitor, summaryText } from "../../lib/nix_btm/mod.ts";
import { Player } from "./_tui_player.ts";

const STORE = `/nix/store/${"a".repeat(32)}`;

/** What is told of records of one command that goes on. */
function told(...records: readonly Record<string, unknown>[]): string {
  const monitor = new Monitor({ now: () => 0 });
  const log = monitor.open({ source: "socket", command: ["/bin/nix", "build"] });
  for (const record of records) log.push(new TextEncoder().encode(`${JSON.stringify(record)}\n`));
  monitor.flush();
  return summaryText(monitor.world, 0);
}

Deno.test("a summary tells of failed builds how and in which phase, in the words of the other views", () => {
  strictEqual(
    summaryText(new Player().replay("06-fail-chain").monitor.world, 0),
    `#1 failed: 0 built, 0 running, 1 failed, 2 blocked, 0 left
  failed   fc-bad: exit code 3 after 18s in buildPhase
  blocked  fc-mid: 1 of its inputs failed
  blocked  fc-top: 1 of its inputs failed
`,
  );
});

Deno.test("a summary tells both hashes of a mismatch", () => {
  const hashes = "specified: sha256-AAAA=\n            got:    sha256-BBBB=";
  const msg = `error: hash mismatch in fixed-output derivation '${STORE}-fetched.drv':\n         ${hashes}`;
  strictEqual(
    told(
      { action: "start", id: 1, level: 3, type: 105, text: "", fields: [`${STORE}-fetched.drv`, "", 1, 1] },
      { action: "msg", level: 0, msg, raw_msg: msg.slice("error: ".length) },
      { action: "stop", id: 1 },
    ),
    `#1 running: 0 built, 0 running, 1 failed, 0 left  nix build
  failed   fetched: hash mismatch
           specified: sha256-AAAA=
           got:       sha256-BBBB=
`,
  );
});

Deno.test("a summary tells of paths that are copied how many they are, and of those that come how far they are", () => {
  const copy = (id: number) => ({
    action: "start",
    id,
    level: 0,
    type: 100,
    text: "",
    fields: [`${STORE}-path-${id}`, "https://cache.example.org", "local"],
  });
  strictEqual(
    told(
      copy(1),
      copy(2),
      { action: "result", id: 1, type: 105, fields: [2_000, 2_000, 0, 0] },
      { action: "stop", id: 1 },
      { action: "result", id: 2, type: 105, fields: [1_048_576, 4_194_304, 0, 0] },
    ),
    `#1 running: 0 built, 0 running, 0 failed, 0 left, 1 of 2 paths copied  nix build
  copying  path-2 from https://cache.example.org 1.0 of 4.0 MiB
`,
  );
});
