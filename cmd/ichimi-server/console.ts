/** `ichimi-server console`: the web console of the daemon. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { toggle } from "../../lib/config/mod.ts";
import type { OpenDoor } from "../../lib/ichimi/mod.ts";

export const console = command({
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
    const { DaemonClient, startDaemon } = await import("./connection.ts");
    using client = new DaemonClient();
    await startDaemon(client);
    const response = await client.fetch("/door", { method: "PUT" });
    if (!response.ok) throw new Error(`Cannot open the console: ${(await response.text()).trim()}`);
    const opened: OpenDoor = await response.json();
    const address = `${opened.url}/?token=${opened.token}`;
    print(options.json ? `${JSON.stringify(opened, null, 2)}\n` : `${address}\n`);
    if (!options.noOpen && !options.json && Deno.stdout.isTerminal()) await show(address);
    return 0;
  },
});

/** In the browser of this desktop, where there is one. */
async function show(address: string): Promise<void> {
  try {
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    await new Deno.Command("xdg-open", { args: [address], ...quiet }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
