/** `nix-btm standalone`: takes logs and shows them, in one process; `debug` prints them instead. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { integer, optionalText } from "../../lib/config/mod.ts";
import { sleep } from "../../lib/async/mod.ts";
import { processLog } from "../../lib/log/mod.ts";
import { plainJson } from "../../lib/tui/mod.ts";
import { makeFolder } from "../../lib/cli/make_folder.ts";
import { RUNTIME_FOLDER } from "../../lib/nix_btm/folders.ts";
import { THEME_OPTION } from "./status.ts";
import { folders, NIX_SOCKET, NIX_SOCKET_OPTION } from "./paths.ts";
import { describeWriter } from "./writer.ts";

export const standalone = command({
  name: "standalone",
  summary: "take the logs of Nix and show them, without a daemon",
  description:
    "For one person and one terminal; what it saw is gone when it ends, but the history of builds and the socket stay.",
  options: {
    nixJsonFilePath: NIX_SOCKET_OPTION,
    standaloneLogPath: option(
      optionalText({ help: "File for this tool's own log [default: none].", example: "/tmp/nixbtm.log" }),
      { short: "s", value: "PATH" },
    ),
    theme: THEME_OPTION,
  },
  examples: [["nix-btm standalone -n /tmp/nixbtm.sock", "On the original's socket"]],
  async run({ options, signal }) {
    const { Terminal } = await import("../../lib/tui/mod.ts");
    const { runNixTui } = await import("../../lib/nix_btm/tui/mod.ts");
    const { standaloneLogPath } = options;
    const log = standaloneLogPath === undefined ? undefined : processLog({ file: standaloneLogPath });
    await using taking = await takeLogs(options.nixJsonFilePath, { looks: true });
    log?.info("taking logs of Nix", { socket: taking.socket });
    using screen = Terminal.open(Deno.env.toObject());
    await runNixTui({ source: taking.source, screen, signal, canSteer: true, theme: options.theme });
    log?.info("ended", { ...taking.stats });
    signal.throwIfAborted();
    return 0;
  },
});

export const debug = command({
  name: "debug",
  summary: "take the logs of Nix and print what they say, again and again",
  description:
    "Prints commands, jobs and the tree of what they need, as JSON, with how many logs and bytes came in.",
  options: {
    nixJsonFilePath: NIX_SOCKET_OPTION,
    dumpInterval: option(
      integer({ help: "Seconds between two prints.", fallback: 2, min: 1, max: 3_600 }),
      { short: "i", value: "SECONDS" },
    ),
  },
  examples: [["nix-btm debug -n /tmp/nixbtm.sock -i 5", "Each five seconds"]],
  async run({ options, signal }) {
    const { snapshotOf } = await import("../../lib/nix_btm/mod.ts");
    await using taking = await takeLogs(options.nixJsonFilePath, { looks: false });
    const { monitor } = taking.source;
    while (!signal.aborted) {
      await sleep(options.dumpInterval * 1_000, { signal }).catch(() =>
        "The loop's head looks at the signal."
      );
      monitor.flush();
      const state = { at: new Date().toISOString(), logs: taking.stats, ...snapshotOf(monitor.world) };
      print(`${plainJson(JSON.stringify(state, undefined, 2))}\n`);
    }
    return 0;
  },
});

/** Takes logs on a socket of its own until it is disposed. */
async function takeLogs(path: string | undefined, { looks }: { readonly looks: boolean }) {
  const { askedCommand, isInStore, isRegistered, localSource, LogListener, openSocket, readDerivation } =
    await import(
      "../../lib/nix_btm/mod.ts"
    );
  const { runtime, state } = folders();
  await using stack = new AsyncDisposableStack();
  const socket = path ?? `${runtime}/${NIX_SOCKET}`;
  makeFolder(socket.slice(0, socket.lastIndexOf("/")) || ".", RUNTIME_FOLDER);
  const listener = stack.use(openSocket(socket, { mode: 0o660 }));
  const source = stack.use(localSource({
    stateFolder: state,
    looks,
    readFile: readDerivation,
    exists: isInStore,
    isRegistered,
  }));
  const logs = stack.use(
    await LogListener.start({
      listener,
      open: (requester) => source.monitor.open(requester),
      describe: (peer) => describeWriter(peer, askedCommand),
      onData: () => {},
    }),
  );
  const owned = stack.move();
  return {
    source,
    socket,
    get stats() {
      return logs.stats;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
