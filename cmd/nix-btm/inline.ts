/** What `run` and `pipe` have in common: options, who hears of the command, and where it is shown. @module */
import { option } from "../../lib/cli/mod.ts";
import { optionalInteger, optionalText, toggle } from "../../lib/config/mod.ts";
import type { Command, Job, Requester } from "../../lib/nix/mod.ts";
import type { History, Session, Shown, Sink, World } from "../../lib/nix_btm/mod.ts";
import { makeFolder } from "../../lib/cli/make_folder.ts";
import { STATE_FOLDER } from "../../lib/nix_btm/folders.ts";
import { colourDepth, plainText } from "../../lib/tui/mod.ts";
import { foldersOf, logSocket, NIX_SOCKET, NIX_SOCKET_OPTION, SYSTEM_RUNTIME } from "./paths.ts";

/** No terminal is higher. */
const LINES_MAX = 10_000;

export const INLINE_OPTIONS = {
  tee: option(
    optionalText({ help: "Saves everything that Nix tells, records and text.", example: "build.log" }),
    { value: "FILE", complete: "file" },
  ),
  height: option(
    optionalInteger({
      help:
        "Lines below the log, always so many [default: as many as are needed, up to a third of the terminal].",
      min: 1,
      max: LINES_MAX,
      example: "12",
    }),
    { value: "N" },
  ),
  logLines: option(
    optionalInteger({
      help: "Shows the last lines of builds' logs in a window of so many, instead of all of them.",
      min: 0,
      max: LINES_MAX,
      example: "10",
    }),
    { value: "N" },
  ),
  json: option(toggle({ help: "Prints a JSON object for each change on standard output.", fallback: false })),
  quiet: option(toggle({ help: "Shows only what went wrong.", fallback: false }), { short: "q" }),
  noDaemon: option(toggle({ help: "Tells no daemon, and keeps its own history.", fallback: false })),
  nixJsonFilePath: NIX_SOCKET_OPTION,
};

/** What those options were called with. */
export interface InlineCall {
  readonly tee: string | undefined;
  readonly height: number | undefined;
  readonly logLines: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noDaemon: boolean;
  readonly nixJsonFilePath: string | undefined;
}

/** The whole of it: who hears of the command, until it is disposed. */
export interface Inline extends AsyncDisposable {
  readonly session: Session;
  readonly sinks: readonly Sink[];
  /** Whether standard error is a terminal that can be drawn on. */
  readonly isDrawn: boolean;
}

/** What a command's words tell of how it is to be shown. */
export interface InlineContext {
  readonly requester: Requester;
  /** Whether it asked for the logs of builds where no terminal shows them. */
  readonly logs: boolean;
  /** Whether it may become a program that talks to a person. */
  readonly mayTalk: boolean;
}

/** Opens everything that a command is shown with. */
export async function openInline(
  call: InlineCall,
  { requester, logs, mayTalk }: InlineContext,
): Promise<Inline> {
  const { fileSink, Session, socketSink } = await import("../../lib/nix_btm/mod.ts");
  const env = Deno.env.toObject();
  await using stack = new AsyncDisposableStack();
  // A program's JSON would stand within the picture.
  const isMixed = call.json && Deno.stdout.isTerminal();
  const isDrawn = Deno.stderr.isTerminal() && env.TERM !== "dumb" && !call.quiet && !isMixed;
  const sinks: Sink[] = [];
  if (call.tee !== undefined) sinks.push(stack.use(fileSink(call.tee)).take);
  const socket = call.noDaemon ? undefined : call.nixJsonFilePath ?? await logSocket();
  const feed = socket === undefined ? undefined : stack.use(socketSink(socket));
  if (feed !== undefined) sinks.push(feed.take);
  const history = await openHistory(env);
  if (history !== undefined) stack.adopt(history, close);
  const views = await viewsOf(call, { isDrawn, logs, mayTalk, env, history });
  // A daemon of another user keeps a history of its own, which this one cannot read.
  const isOurs = socket !== `${SYSTEM_RUNTIME}/${NIX_SOCKET}` || Deno.uid() === 0;
  const isRemembered = feed !== undefined && isOurs && await feed.reached;
  const session = stack.use(
    new Session({
      requester,
      mayTalk,
      views,
      size,
      durationsOf: history?.durationsOf,
      onBuildEnd: (job, command) => {
        if (job.startedMs !== undefined && !isRemembered) remember(history, job, command);
      },
    }),
  );
  const owned = stack.move();
  return {
    session,
    sinks: [...sinks, session.take],
    isDrawn,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function viewsOf(
  { json, quiet, height, logLines }: InlineCall,
  { isDrawn, logs, mayTalk, env, history }: {
    readonly mayTalk: boolean;
    readonly isDrawn: boolean;
    readonly logs: boolean;
    readonly env: Readonly<Record<string, string>>;
    readonly history: History | undefined;
  },
): Promise<(world: World) => Shown[]> {
  const { JsonView, PICTURE_LINGER_MS, PlainView, TerminalView } = await import("../../lib/nix_btm/mod.ts");
  return (world) => [
    {
      write: (text) => writeAll(Deno.stderr, text),
      view: isDrawn
        ? new TerminalView(world, {
          depth: colourDepth(env, true),
          lines: height,
          logLines,
          averageOf: history?.durationsOf,
          clockText,
          lingerMs: mayTalk ? 0 : PICTURE_LINGER_MS,
        })
        : new PlainView(world, { github: env.GITHUB_ACTIONS === "true", quiet, logs }),
    },
    ...json ? [{ write: (text: string) => writeAll(Deno.stdout, text), view: new JsonView(world) }] : [],
  ];
}

/** The history that this user's daemon keeps too; without one nothing is estimated, and that is all. */
async function openHistory(env: Readonly<Record<string, string>>): Promise<History | undefined> {
  const { History } = await import("../../lib/nix_btm/mod.ts");
  const { state } = foldersOf(env, Deno.uid());
  try {
    makeFolder(state, STATE_FOLDER);
    return History.open(
      `${state}/history.sqlite`,
      (text) => console.error(`nix-btm: ${plainText(text)}`),
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(`nix-btm: ${plainText(error.message)}; nothing is estimated`);
    return undefined;
  }
}

function remember(history: History | undefined, job: Job, command: Command | undefined): void {
  try {
    history?.add(job, { command });
  } catch (error) {
    // A full disk, or another one that writes for seconds: the build is what counts.
    if (!(error instanceof Error)) throw error;
  }
}

/** The command's exit code is its own, whatever becomes of the history. */
function close(history: History): void {
  try {
    history[Symbol.dispose]();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(`nix-btm: ${error.message}`);
  }
}

/** Of the terminal; of one that tells none 80 by 24. */
function size(): { width: number; height: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    if (columns > 0 && rows > 0) return { width: columns, height: rows };
  } catch (error) {
    if (!(error instanceof Error)) throw error; // No terminal: nothing is drawn.
  }
  return { width: 80, height: 24 };
}

/** `14:32:10`, here. */
function clockText(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

async function writeAll(to: { write(bytes: Uint8Array): Promise<number> }, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
