/** How a front end reaches the daemon of its user. @module */
import { readFileSync } from "node:fs";
import { processStart } from "../../ffi/ring/mod.ts";
import { sleep } from "../../lib/async/time.ts";
import { ownCommand } from "../../lib/build/own_command.ts";
import { startInBackground } from "../../lib/cli/background.ts";
import { Connection } from "../../lib/ichimi/connection.ts";
import type { Hello } from "../../lib/ichimi/hello.ts";
import { managerOf } from "../../lib/supervisor/lock.ts";
import { onceClient } from "../../lib/web/once.ts";
import { folders } from "./paths.ts";

/** A daemon that is upgraded is back within this. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 50;

/** Asks the daemon over its socket. @throws {TypeError} When nobody answers. */
export class DaemonClient implements Disposable {
  readonly #client = onceClient({ socket: folders().socket });

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://localhost${path}`, { ...init, client: this.#client });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Comes to the daemon as a client, and starts it when there is none. */
export function connect(hello: Pick<Hello, "toolsets"> = {}): Connection {
  const client = new DaemonClient();
  return new Connection({ pid: Deno.pid, folder: Deno.cwd(), env: Deno.env.toObject(), ...hello }, {
    fetch: (path, init) => client.fetch(path, init),
    start: () => startDaemon(client),
    close: () => client[Symbol.dispose](),
  });
}

/** Starts the daemon when there is none. @throws {Error} When it does not come up. */
export async function startDaemon(client: DaemonClient): Promise<void> {
  const answers = async () => {
    try {
      await (await client.fetch("/status")).body?.cancel();
      return true;
    } catch (error) {
      // Nobody is there, or somebody who ends right now.
      if (error instanceof TypeError) return false;
      throw error;
    }
  };
  if (await answers()) return;
  const { state, upgrading } = folders();
  // One that begins, or becomes a newer one, does not answer for a moment.
  const comes = () => managerOf(state) !== undefined || becomesNewer(upgrading);
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && comes(); waitedMs += RETRY_MS) {
    if (await answers()) return;
    await sleep(RETRY_MS);
  }
  await startInBackground([...ownCommand("ichimi-server"), "daemon", "--background"], answers);
}

/** Whether the process that becomes a newer one still lives: one that was killed in the midst of it leaves the file. */
function becomesNewer(file: string): boolean {
  try {
    const [pid = "", startTicks = ""] = readFileSync(file, "utf8").trim().split(" ");
    return processStart(Number(pid)) === BigInt(startTicks);
  } catch (error) {
    // None does, or the file is being written or removed right now.
    if (error instanceof Error) return false;
    throw error;
  }
}
