/** `bpm attach`: a process's terminal in this one. @module */
import { aborted } from "../../lib/async/mod.ts";
import {
  attach as attachTo,
  DetachKeys,
  localPlaces,
  localProcesses,
  parseKeys,
  TerminalModes,
} from "../../lib/bpm/mod.ts";
import { command, option, TempFolder, UsageError } from "../../lib/cli/mod.ts";
import { text, toggle } from "../../lib/config/mod.ts";
import { inspectInstance } from "../../lib/keeper/mod.ts";
import { Doorbell } from "../../lib/ring/mod.ts";
import { OPTIONS, PROCESS } from "./ask.ts";
import { openProject } from "./project.ts";

const READ_BYTES = 16_384;
type Bytes = Uint8Array<ArrayBuffer>;

export const attach = command({
  name: "attach",
  summary: "use the terminal of a process from here",
  description:
    "Shows what a process with a terminal (tty = true) writes and sends it what is typed; the size of its terminal " +
    "follows this one. The detach keys leave it as it is. Several may be attached at once, and no manager has to run. " +
    "A process without a terminal is only followed. When the process ends, so does this, with its exit code.",
  positionals: [PROCESS],
  options: {
    dir: OPTIONS.dir,
    config: OPTIONS.config,
    detachKeys: option(
      text({ help: "What leaves it: one key, or several in a row with commas between.", fallback: "ctrl-]" }),
      { value: "KEYS" },
    ),
    readOnly: option(toggle({ help: "Only shows; sends nothing.", fallback: false }), { short: "r" }),
  },
  examples: [
    ["bpm attach repl", "Ctrl-] leaves it"],
    ["bpm attach repl --detach-keys ctrl-p,ctrl-q", "Other keys leave it"],
  ],
  async run({ args: [name], options, signal }) {
    const { config, state } = await openProject(options.dir ?? ".", options.config);
    const folder = runningInstance(state, name!);
    const keys = keysOf(options.detachKeys);
    // Replicas are `name.1`, `name.2` and so on.
    const { process } = config;
    const hasTerminal = (process[name!] ?? process[name!.replace(/\.\d+$/, "")])?.tty === true;
    const types = hasTerminal && !options.readOnly && Deno.stdin.isTerminal();
    tell(
      types
        ? `attached to ${name}; ${options.detachKeys} leaves it`
        : `following ${name}${hasTerminal ? "" : ", which has no terminal"}; Ctrl-C ends`,
    );
    using bell = TempFolder.create("bpm-attach");
    const modes = new TerminalModes();
    await using doorbell = Doorbell.create(`${bell.path}/doorbell`);
    using _ = types ? rawInput() : undefined;
    const end = await attachTo(folder, {
      doorbell,
      signal,
      show: (bytes) => {
        modes.take(bytes);
        writeAll(bytes);
      },
      typed: types ? untilKeys(keys) : undefined,
      sizes: types && Deno.stdout.isTerminal() ? windowSizes(signal) : undefined,
    });
    if (Deno.stdout.isTerminal()) writeAll(new TextEncoder().encode(modes.undo()));
    if (end.kind === "detached") {
      signal.throwIfAborted();
      tell(`\r\ndetached from ${name}, which goes on`);
      return 0;
    }
    const how = end.exit === undefined ? "nobody knows how" : `exit ${end.exit.code}`;
    tell(`\r\n${name} has ended: ${how}`);
    return end.exit?.code ?? 1;
  },
});

/** Folder of the instance that runs. @throws {Error} When none does. */
function runningInstance(state: string, name: string): string {
  const known = localProcesses(state);
  if (!known.includes(name)) {
    const there = known.length === 0 ? "none was ever started" : `there are: ${known.join(", ")}`;
    throw new Error(`Process '${name}' not found (${there})`);
  }
  const place = localPlaces(state, name, "run").findLast(({ folder }) =>
    inspectInstance(folder).kind === "running"
  );
  if (place === undefined) throw new Error(`Cannot attach to process '${name}': it does not run`);
  return place.folder;
}

function keysOf(text: string): Bytes {
  try {
    return parseKeys(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new UsageError(cause.message);
    throw cause;
  }
}

/** Keys go to the process, also those that would end this program. */
function rawInput(): Disposable {
  const leave = () => Deno.stdin.setRaw(false);
  Deno.stdin.setRaw(true);
  globalThis.addEventListener("unload", leave);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unload", leave);
      leave();
    },
  };
}

/** What is typed, until the keys are. A read cannot be called off: the one that waits ends with the program. */
async function* untilKeys(keys: Bytes): AsyncGenerator<Bytes> {
  const detach = new DetachKeys(keys);
  const buffer = new Uint8Array(READ_BYTES);
  for (let count = await Deno.stdin.read(buffer); count !== null; count = await Deno.stdin.read(buffer)) {
    const { bytes, detached } = detach.take(buffer.subarray(0, count));
    if (bytes.length > 0) yield bytes;
    if (detached) return;
  }
}

/** Sizes of this terminal: the one it has now, and each that it gets. */
async function* windowSizes(
  signal: AbortSignal,
): AsyncGenerator<{ readonly rows: number; readonly columns: number }> {
  let changed = Promise.withResolvers<void>();
  const onChange = () => changed.resolve();
  Deno.addSignalListener("SIGWINCH", onChange);
  try {
    const { rows, columns } = Deno.consoleSize();
    // One of the same size is not told: the program draws itself anew for whoever has just come.
    yield { rows, columns: columns > 1 ? columns - 1 : columns + 1 };
    while (!signal.aborted) {
      yield Deno.consoleSize();
      await Promise.race([changed.promise, aborted(signal)]);
      changed = Promise.withResolvers();
    }
  } finally {
    Deno.removeSignalListener("SIGWINCH", onChange);
  }
}

function writeAll(bytes: Bytes): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** To people, not among what the process says. */
function tell(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\r\n`);
  Deno.stderr.writeSync(Deno.stderr.isTerminal() ? bytes : new TextEncoder().encode(`${line.trim()}\n`));
}
