/** For development: `deno run -A tests/viewer/serve.ts [FILE|AGENT-URL|synthetic] [ADDRESS]` serves the page from disk. @module */
import { openRecording } from "../../lib/recording/mod.ts";
import { LiveStore } from "../../lib/tsdb/mod.ts";
import { recordingSource, startViewer, type ViewerSource } from "../../lib/viewer/mod.ts";
import { formatAddress, parseAddress } from "../../lib/web/mod.ts";
import { syntheticHost } from "./synthetic_host.ts";

const [what = "synthetic", address = "127.0.0.1:4290"] = Deno.args;
/** Ticks that a synthetic host has behind it. */
const PAST = 900;

function synthetic(): ViewerSource {
  const store = new LiveStore();
  const host = syntheticHost(Math.floor(Date.now() / 1000) - PAST);
  let tick = 0;
  while (tick < PAST) store.append(host.snapshot(tick++));
  setInterval(() => store.append(host.snapshot(tick++)), 1000);
  return {
    series: store,
    state: () => ({ title: "synthetic-host", mode: "live", intervalSeconds: 1, ...store.range() }),
  };
}

const show = what === "synthetic"
  ? synthetic()
  : /^(https?:|unix:)/.test(what)
  ? { agent: what, log: console.error }
  : recordingSource(openRecording(what).series, what.slice(what.lastIndexOf("/") + 1));
const server = await startViewer({ show, listen: parseAddress(address), assetsDir: ".build/assets" });
console.log(formatAddress(server.address));
