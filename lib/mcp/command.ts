/** The command `TOOL mcp`, the same for every tool: serve over stdio, enter in a client, take out, print. @module */
import { type Command, command, flagName, type Option, option, print, UsageError } from "../cli/mod.ts";
import { optionalText, text } from "../config/mod.ts";
import { CLIENT_APPS, type ClientApp, type Places, type ServerEntry } from "./clients.ts";
import { type InstallResult, installServer, serverSnippet, uninstallServer } from "./install.ts";

/** What differs between tools. */
export interface McpCommandSpec {
  /** The tool's name, under which it is entered when no other is given. */
  readonly name: string;
  /** How a client starts the server over stdio: program and arguments, absolute. */
  readonly command: readonly [program: string, ...args: string[]];
  /** What the server can be told; `install` enters it with the command. */
  readonly options?: Readonly<Record<string, Option<string | undefined>>>;
  /** What is to be found wrong before it is entered. @throws {UsageError} */
  check?(options: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Where a server of the tool listens, for an example; most tools have none that runs by itself. */
  readonly url?: string;
  /** The command that tells the token which that server wants to be shown, where it wants one. */
  readonly tokenCommand?: string;
  /** Serves over stdio until the client goes; returns the exit code. */
  serve(signal: AbortSignal, options: Readonly<Record<string, string | undefined>>): Promise<number>;
}

const CLIENT_IDS = CLIENT_APPS.map(({ id }) => id);

const WHERE = {
  client: option(
    text<string>({ help: "Which program's file.", fallback: CLIENT_IDS[0]!, oneOf: CLIENT_IDS }),
    { short: "c", value: "CLIENT", complete: CLIENT_IDS },
  ),
  name: option(optionalText({ help: "Name of the entry; the tool's own by default.", example: "mine" }), {
    value: "NAME",
  }),
  project: option(optionalText({ help: "The project's root; this folder by default.", example: "." }), {
    value: "DIR",
    complete: "directory",
  }),
};

const WHAT = {
  ...WHERE,
  url: option(
    optionalText({ help: "A running server instead of one to start.", example: "http://localhost:3001/mcp" }),
    { value: "URL" },
  ),
  token: option(optionalText({ help: "What the running server wants to be shown.", example: "s3cret" }), {
    value: "TOKEN",
  }),
};

/** Makes the command of one tool. */
export function mcpCommand(spec: McpCommandSpec): Command {
  const own = spec.options ?? {};
  const clients = CLIENT_APPS.map(({ id, title }) => `${id}: ${title}`).join("; ");
  const line = `${spec.name} mcp`;
  const [tokenWords, tokenPlace] = spec.tokenCommand === undefined
    ? ["", ""]
    : [" --token TOKEN", `, with the token that "${spec.tokenCommand}" tells`];
  return command({
    name: "mcp",
    summary: "serve assistants over standard input and output, or enter the tool in a client",
    description: `Without a command it serves over stdio, as clients start it.\n\nClients: ${clients}.`,
    examples: [
      [`${line} install`, "Enter it in Claude Code, for all projects"],
      [`${line} install -c claude-project`, "For everyone who works on this project"],
      ...(spec.url === undefined ? [] : [
        [
          `${line} install --url ${spec.url}${tokenWords}`,
          `Enter a server that runs${tokenPlace}`,
        ] as const,
      ]),
    ],
    options: own,
    commands: [
      command({
        name: "install",
        summary: "enter the tool in a client's file, and leave every other entry as it is",
        options: { ...own, ...WHAT },
        run: async ({ options }) => {
          await spec.check?.(options);
          const entry = entryOf(spec, options);
          tell(
            await installServer(appOf(options.client), options.name ?? spec.name, entry, placesOf(options)),
          );
          return 0;
        },
      }),
      command({
        name: "uninstall",
        summary: "take the tool out of a client's file",
        options: WHERE,
        run: async ({ options }) => {
          tell(await uninstallServer(appOf(options.client), options.name ?? spec.name, placesOf(options)));
          return 0;
        },
      }),
      command({
        name: "print",
        summary: "print what install would enter",
        options: { ...own, ...WHAT },
        run: async ({ options }) => {
          await spec.check?.(options);
          print(serverSnippet(appOf(options.client), options.name ?? spec.name, entryOf(spec, options)));
          return 0;
        },
      }),
    ],
    run: ({ options, signal }) => spec.serve(signal, options as Readonly<Record<string, string | undefined>>),
  });
}

function appOf(id: string): ClientApp {
  const app = CLIENT_APPS.find((each) => each.id === id);
  if (app === undefined) throw new UsageError(`unknown client "${id}": ${CLIENT_IDS.join(", ")}`);
  return app;
}

function entryOf(
  { command, options: own = {} }: McpCommandSpec,
  { url, token, ...options }: { readonly url: string | undefined; readonly token: string | undefined },
): ServerEntry {
  if (url === undefined) {
    if (token !== undefined) throw new UsageError("--token is for a server that runs: give its --url");
    const [program, ...args] = command;
    const given = Object.entries(options).filter(([name, value]) => name in own && value !== undefined);
    const words = given.flatMap(([name, value]) => [`--${flagName(name)}`, String(value)]);
    return { kind: "command", command: program, args: [...args, ...words] };
  }
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) throw new UsageError(`"${url}" is no HTTP address`);
  const headers = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  return { kind: "http", url, ...headers };
}

function placesOf({ project }: { readonly project: string | undefined }): Places {
  const home = Deno.env.get("HOME");
  if (home === undefined || home === "") throw new Error("Cannot find the files of clients: HOME is not set");
  return { home, project: project === undefined ? Deno.cwd() : Deno.realPathSync(project) };
}

const DONE: Readonly<Record<InstallResult["change"], string>> = {
  added: "entered in",
  replaced: "entered anew in",
  removed: "taken out of",
  unchanged: "nothing to change in",
};

function tell({ file, change }: InstallResult): void {
  print(`${DONE[change]} ${file}\n`);
}
