/** Instances as a manager would have them, for tests of swaps. @module */
import {
  KeeperControl,
  type KeeperOptions,
  LineAssembler,
  type StartedKeeper,
  startInstance,
} from "../../lib/keeper/mod.ts";
import { SegmentReader } from "../../lib/ring/mod.ts";
import type { Server } from "./_programs.ts";

const READY_LIMIT_MS = 20_000;

/** One run of a server, in a folder that goes away with it. */
export class Instance implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "swap-" });
  readonly pid: number;
  readonly #keeper: StartedKeeper;

  /** Resolves when the server has told that it listens. */
  static async start(
    server: Server,
    options: (folder: string) => Partial<KeeperOptions>,
  ): Promise<Instance> {
    const instance = new Instance(server, options);
    await until(`"${server.command[0]}"`, () => server.ready.test(instance.output()));
    return instance;
  }

  private constructor(server: Server, options: (folder: string) => Partial<KeeperOptions>) {
    this.#keeper = startInstance({ folder: this.folder, command: server.command, ...options(this.folder) });
    this.pid = this.#keeper.pid;
  }

  /** All that it has said so far. */
  output(): string {
    const lines: string[] = [];
    try {
      using reader = SegmentReader.open(this.folder);
      const assembler = new LineAssembler();
      const tell = (entry: { kind: string; line?: { text: string }; text?: string }) =>
        void lines.push(entry.line?.text ?? entry.text ?? "");
      for (let result = reader.read(); result.kind === "records"; result = reader.read()) {
        while (result.records.next()) assembler.take(result.records, tell);
      }
      assembler.flush(tell);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // its keeper has not come so far
    }
    return lines.join("\n");
  }

  /** Asks it to end, and waits until it has. */
  async stop(graceMs = 5_000): Promise<void> {
    try {
      using control = await KeeperControl.open(this.folder);
      await control.stop(graceMs);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused)) {
        throw error;
      }
    }
    await this.#keeper.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Looks every few milliseconds, since nobody tells when a process's state changes. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + READY_LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
