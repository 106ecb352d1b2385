/** `ichimi-server console`: the web console of the daemon. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { optionalInteger, toggle } from "../../lib/config/mod.ts";
import type { OpenDoor } from "../../lib/ichimi/mod.ts";

export const consoleCommand = command({
  name: "console",
  summary: "open the web console, and print its address",
  description: "The address holds a token that lets whoever has it do what you can do. It stays the same.",
  options: {
    noOpen: option(toggle({ help: "Only prints the address.", fallback: false })),
    json: option(toggle({ help: "Prints address, port and token as JSON.", fallback: false })),
  },
  examples: [
    ["ichimi-server console", "In the browser"],
    ["ichimi-server console --no-open", "The address, for a browser on the other end of an SSH tunnel"],
  ],
  async run({ options }) {
    const opened = await openConsole();
    const address = addressOf(opened);
    print(options.json ? `${JSON.stringify(opened, null, 2)}\n` : `${address}\n`);
    if (!options.noOpen && !options.json && Deno.stdout.isTerminal()) await show(address);
    return 0;
  },
});

/** The flags of upstream's server, which had its console in itself. */
export const WEB_FLAGS = {
  web: option(toggle({ help: "Opens the web console too, and tells its address.", fallback: false })),
  webOnly: option(toggle({ help: "The web console alone, without an assistant.", fallback: false })),
  webPort: option(
    optionalInteger({
      help: "Port of the console, where it is not open yet.",
      example: "12700",
      min: 1,
      max: 65_435,
    }),
    { value: "PORT" },
  ),
  noOpen: option(toggle({ help: "Opens no browser.", fallback: false })),
};

/** Opens the console for somebody who has come with upstream's flags; standard output is the protocol's. */
export async function openForFlags(
  { webPort, noOpen }: { readonly webPort: number | undefined; readonly noOpen: boolean },
): Promise<void> {
  const address = addressOf(await openConsole(webPort));
  Deno.stderr.writeSync(new TextEncoder().encode(`Web console: ${address}\n`));
  if (!noOpen) await show(address);
}

async function openConsole(port?: number): Promise<OpenDoor> {
  const { DaemonClient, startDaemon } = await import("./connection.ts");
  using client = new DaemonClient();
  await startDaemon(client);
  const path = port === undefined ? "/door" : `/door?port=${port}`;
  const response = await client.fetch(path, { method: "PUT" });
  if (!response.ok) throw new Error(`Cannot open the console: ${(await response.text()).trim()}`);
  return await response.json();
}

/** With what lets a browser in. */
function addressOf({ url, token }: OpenDoor): string {
  return `${url}/?token=${token}`;
}

/** In the browser of this desktop, where there is one. */
async function show(address: string): Promise<void> {
  try {
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    await new Deno.Command("xdg-open", { args: [address], ...quiet }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
