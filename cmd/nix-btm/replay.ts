/** `nix-btm replay`: a recorded log as if it came now. @module */
import { gunzipSync } from "node:zlib";
import { command, print } from "../../lib/cli/mod.ts";
import { JSON_OPTION } from "./status.ts";

const GZIP = [0x1f, 0x8b];

export const replay = command({
  name: "replay",
  summary: "show a recorded log of Nix as if it came now",
  description: "Reads internal-json, with or without @nix before it, or Nix' log for people; also gzipped.",
  positionals: [{ name: "FILE", help: "the log; - is standard input" }],
  options: { json: JSON_OPTION },
  examples: [["nix-btm replay build.log", "What happened in it"]],
  async run({ args: [path = "-"], options }) {
    const { Monitor, snapshotOf, summaryText } = await import("../../lib/nix_btm/mod.ts");
    const found = path === "-"
      ? new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer())
      : await Deno.readFile(path);
    const bytes = GZIP.every((byte, at) => found[at] === byte) ? gunzipSync(found) : found;
    const monitor = new Monitor({ readFile: (file) => Deno.readTextFile(file) });
    const log = monitor.open({ source: "replay" });
    log.push(bytes);
    log.end();
    await monitor.settled();
    monitor.flush();
    print(
      options.json
        ? `${JSON.stringify(snapshotOf(monitor.world), undefined, 2)}\n`
        : summaryText(monitor.world, Date.now()),
    );
    return 0;
  },
});
