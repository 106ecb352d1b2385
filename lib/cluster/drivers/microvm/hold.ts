/** A QEMU that runs, steered by its machine protocol. @module */
import { abortable, sleep } from "../../../async/mod.ts";
import type { HeldRun, Hold } from "../kept/mod.ts";
import { QmpClient, type QmpEvent } from "./qmp.ts";

/** QEMU listens some milliseconds after it was started. */
const LISTENS_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 2;
/** What QEMU has left to end by itself, before its keeper ends it. */
const QUIT_WITHIN_MS = 2_000;

export class MicrovmHold implements Hold {
  readonly #held: HeldRun<"microvm">;
  readonly #path: string;
  readonly #uuid: string;
  #client: QmpClient | undefined;
  #isPaused = false;
  /** What ends it once its grace is over. */
  readonly #ending = new Set<Promise<void>>();

  /** Takes one that was just started, or was found: that one may be deaf, and is tried again whenever it is needed. */
  static async take(held: HeldRun<"microvm">, path: string, uuid: string): Promise<MicrovmHold> {
    const hold = new MicrovmHold(held, path, uuid);
    try {
      await hold.#qmp();
    } catch (error) {
      if (held.isNew) throw error;
    }
    return hold;
  }

  private constructor(held: HeldRun<"microvm">, path: string, uuid: string) {
    this.#held = held;
    this.#path = path;
    this.#uuid = uuid;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  async pause(): Promise<void> {
    await (await this.#qmp()).execute("stop");
    this.#isPaused = true;
  }

  async resume(): Promise<void> {
    await (await this.#qmp()).execute("cont");
    this.#isPaused = false;
  }

  /**
   * Presses the power button, which a guest may not hear: there is one on this machine where it has ACPI. Its keeper
   * ends it after that, whatever becomes of this process; SIGCONT asks QEMU for nothing.
   */
  async stop(graceMs: number): Promise<void> {
    if (graceMs === 0) return await this.#held.run.stop(0, "SIGCONT");
    await this.#held.run.stop(graceMs + QUIT_WITHIN_MS, "SIGCONT");
    try {
      const client = await this.#qmp();
      if (this.#isPaused) await client.execute("cont");
      await client.execute("system_powerdown");
    } catch (error) {
      // It has ended meanwhile, or is deaf: then its keeper ends it in time.
      if (!(error instanceof Error)) throw error;
    }
    const ending = this.#quitAfter(graceMs);
    this.#ending.add(ending);
    ending.finally(() => this.#ending.delete(ending));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    await Promise.allSettled(this.#ending);
  }

  async #quitAfter(graceMs: number): Promise<void> {
    try {
      await sleep(graceMs, { signal: this.#held.signal });
      await (await this.#qmp()).execute("quit");
    } catch (error) {
      // It has ended in time, or its keeper ends it.
      if (!(error instanceof Error)) throw error;
    }
  }

  /** A connection to the machine that is meant. */
  async #qmp(): Promise<QmpClient> {
    if (this.#client?.isClosed === false) return this.#client;
    const client = await this.#connect();
    try {
      const { UUID } = await client.execute("query-uuid") as { readonly UUID: string };
      if (UUID !== this.#uuid) throw new Error(`another machine answers, ${UUID} instead of ${this.#uuid}`);
      const { status } = await client.execute("query-status") as { readonly status: string };
      this.#isPaused = status === "paused";
      this.#client = client;
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #connect(): Promise<QmpClient> {
    const { run, signal } = this.#held;
    for (let waitedMs = 0;; waitedMs += LOOK_EVERY_MS) {
      signal.throwIfAborted();
      try {
        return await abortable(QmpClient.open(this.#path, (event) => this.#heard(event)), signal);
      } catch (error) {
        const listensNot = error instanceof Deno.errors.NotFound ||
          error instanceof Deno.errors.ConnectionRefused;
        if (!listensNot) throw error;
        if (run.status().kind !== "running") throw new Error("QEMU has ended", { cause: error });
        if (waitedMs >= LISTENS_WITHIN_MS) {
          throw new Error(`QEMU does not listen at "${this.#path}" in ${LISTENS_WITHIN_MS / 1_000} s`);
        }
      }
      await sleep(LOOK_EVERY_MS, { signal });
    }
  }

  #heard({ event }: QmpEvent): void {
    if (event !== "STOP" && event !== "RESUME") return;
    this.#isPaused = event === "STOP";
    this.#held.changed();
  }
}
