/**
 * A driver that runs nothing, for simulations: instances are entries of a map, time is that of a clock, and what fails is
 * an argument. What an instance says is what it is told: each byte of its input, and a line at each start and end.
 * @module
 */
import { abortable } from "../../async/mod.ts";
import type { Clock } from "../clock.ts";
import type { DriverKind, Instance } from "../model/instance.ts";
import type { DriverReport } from "../model/node.ts";
import {
  checkIdentity,
  type Driver,
  DriverError,
  type DriverEvent,
  type DriverInstance,
  type DriverSpec,
  type DriverState,
  type DriverStats,
  type Identity,
  listed,
  type LogOptions,
  type LogPiece,
  type RunEnd,
  specOf,
} from "./driver.ts";

export type MemoryOperation = "create" | "start" | "stop" | "pause" | "resume" | "delete" | "input";

export interface MemoryOptions<K extends DriverKind = DriverKind> {
  /** Which kind of instances it takes. */
  readonly kind: K;
  readonly clock: Clock;
  /** How long an operation takes; 0 by default. */
  readonly delayMs?: (operation: MemoryOperation, id: string) => number;
  /** What fails, and why; nothing by default. */
  readonly failure?: (operation: MemoryOperation, id: string) => string | undefined;
  /** How a run ends by itself, and after which time; not at all by default. */
  readonly life?: (spec: DriverSpec) => { readonly ms: number; readonly code: number } | undefined;
  /** What a machine keeps while the agent on it is restarted. */
  readonly machine?: MemoryMachine;
}

/** Pieces of a log that are kept; the oldest goes for the next. */
const PIECES_MAX = 100;

/** What drivers leave on a machine: the next one finds it. */
export class MemoryMachine {
  readonly instances = new Map<string, Entry>();
  pid = 1;
}

interface Entry {
  spec: DriverSpec;
  state: DriverState;
  startedMs: number;
  readonly log: LogPiece[];
  /** Pieces that are not kept any more. */
  dropped: number;
  /** Those who wait for what comes next. */
  wake: PromiseWithResolvers<void>;
  turn: Promise<unknown>;
}

/** As every driver it lets go of what runs when it is disposed; a new one on the same machine has it again. */
export class MemoryDriver implements Driver {
  readonly kind: DriverKind;
  readonly #options: MemoryOptions;
  readonly #machine: MemoryMachine;
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #letGo = new AbortController();

  constructor(options: MemoryOptions) {
    this.kind = options.kind;
    this.#options = options;
    this.#machine = options.machine ?? new MemoryMachine();
  }

  probe(): Promise<DriverReport> {
    const accelerations = this.kind === "microvm" ? ["tcg"] as const : [];
    return Promise.resolve({ kind: this.kind, problem: null, accelerations });
  }

  async create(instance: Instance): Promise<void> {
    const spec = specOf(instance, this.kind);
    await this.#pass("create", spec.id);
    const found = this.#machine.instances.get(spec.id);
    if (found !== undefined) {
      checkIdentity("create", spec, found).spec = spec;
      return;
    }
    this.#machine.instances.set(spec.id, {
      ...{ spec, state: { kind: "created" }, startedMs: 0, log: [], dropped: 0 },
      ...{ wake: Promise.withResolvers(), turn: Promise.resolve() },
    });
  }

  async start(identity: Identity): Promise<void> {
    await this.#inTurn("start", identity, (entry) => {
      if (entry.state.kind === "running") return;
      if (entry.state.kind === "paused") throw cannot("start", identity, "it is paused; resume it");
      entry.startedMs = this.#options.clock.now();
      const pid = this.#machine.pid++;
      this.#say(entry, "started\n");
      this.#become(entry, { kind: "running", pid });
      const life = this.#options.life?.(entry.spec);
      if (life !== undefined) this.#endAfter(entry, pid, life);
    });
  }

  async stop(identity: Identity, _graceMs: number): Promise<RunEnd | undefined> {
    return await this.#inTurn("stop", identity, (entry) => {
      if (isAlive(entry)) {
        const reason = "it was ended by SIGTERM";
        this.#end(entry, { isSuccess: false, wasAsked: true, code: 143, signal: "SIGTERM", reason });
      }
      return entry.state.kind === "ended" ? entry.state.end : undefined;
    });
  }

  async pause(identity: Identity): Promise<void> {
    await this.#inTurn("pause", identity, (entry) => this.#switch("pause", entry, "paused"));
  }

  async resume(identity: Identity): Promise<void> {
    await this.#inTurn("resume", identity, (entry) => this.#switch("resume", entry, "running"));
  }

  async delete(identity: Identity): Promise<void> {
    const entry = this.#machine.instances.get(identity.id);
    if (entry === undefined) return;
    checkIdentity("delete", identity, entry);
    const result = entry.turn.then(async () => {
      await this.#pass("delete", identity.id);
      if (this.#machine.instances.get(identity.id) !== entry) return;
      if (isAlive(entry)) this.#end(entry, KILLED);
      this.#machine.instances.delete(identity.id);
    });
    entry.turn = result.catch(() => undefined);
    await result;
  }

  list(): DriverInstance[] {
    return listed(this.#machine.instances.values());
  }

  listen(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // deno-lint-ignore require-await -- what it throws is to be a rejection
  async stats(identity: Identity): Promise<DriverStats> {
    const entry = this.#find("measure", identity);
    if (!isAlive(entry)) throw cannot("measure", identity, "it does not run");
    const { resources: { cpuMillis, memoryMib } } = entry.spec;
    const seconds = (this.#options.clock.now() - entry.startedMs) / 1_000;
    return { cpuSeconds: seconds * cpuMillis / 1_000, memoryBytes: memoryMib * 2 ** 20 };
  }

  async *logs(
    identity: Identity,
    { from, follow = false, signal }: LogOptions = {},
  ): AsyncGenerator<LogPiece, void, void> {
    const entry = this.#find("read the log of", identity);
    const end = () => entry.dropped + entry.log.length;
    if (from !== undefined && from !== "end" && !(/^\d{1,15}$/.test(from) && Number(from) <= end())) {
      throw new DriverError("invalid", `Cannot read a log from "${from}": no piece of it ends there`);
    }
    const ended = AbortSignal.any([this.#letGo.signal, ...signal === undefined ? [] : [signal]]);
    for (let at = from === "end" ? end() : Number(from ?? 0);;) {
      ended.throwIfAborted();
      const next = entry.wake.promise;
      for (; at < end(); at++) {
        const piece = entry.log[at - entry.dropped];
        if (piece !== undefined) yield piece;
      }
      if (!follow || !isAlive(entry)) return;
      await abortable(next, ended);
    }
  }

  async input(identity: Identity, bytes: Uint8Array): Promise<void> {
    await this.#inTurn("input", identity, (entry) => {
      if (!isAlive(entry)) throw cannot("write to", identity, "it does not run");
      this.#say(entry, bytes);
    });
  }

  /** Ends a run as if it had ended by itself. */
  endRun(id: string, code: number): void {
    const entry = this.#machine.instances.get(id);
    if (entry === undefined || !isAlive(entry)) return;
    const reason = `it ended with code ${code}`;
    this.#end(entry, { isSuccess: code === 0, wasAsked: false, code, signal: null, reason });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#letGo.abort();
    this.#listeners.clear();
    return Promise.resolve();
  }

  #endAfter(entry: Entry, pid: number, life: { readonly ms: number; readonly code: number }): void {
    const { signal } = this.#letGo;
    this.#options.clock.sleep(life.ms, { signal }).then(() => {
      const isSame = isAlive(entry) && "pid" in entry.state && entry.state.pid === pid;
      if (isSame) this.endRun(entry.spec.id, life.code);
    }, () => "Let go: the next driver finds it running.");
  }

  async #pass(operation: MemoryOperation, id: string): Promise<void> {
    const { clock, delayMs, failure } = this.#options;
    const ms = delayMs?.(operation, id) ?? 0;
    if (ms > 0) await clock.sleep(ms, { signal: this.#letGo.signal });
    this.#letGo.signal.throwIfAborted();
    const reason = failure?.(operation, id);
    if (reason !== undefined) {
      throw new DriverError("failed", `Cannot ${operation} instance ${id}: ${reason}`);
    }
  }

  #inTurn<T>(operation: MemoryOperation, identity: Identity, body: (entry: Entry) => T): Promise<T> {
    const entry = this.#machine.instances.get(identity.id);
    const result = (entry?.turn ?? Promise.resolve()).then(async () => {
      this.#find(operation, identity);
      await this.#pass(operation, identity.id);
      return body(this.#find(operation, identity));
    });
    if (entry !== undefined) entry.turn = result.catch(() => undefined);
    return result;
  }

  #find(what: string, identity: Identity): Entry {
    return checkIdentity(what, identity, this.#machine.instances.get(identity.id));
  }

  #switch(what: "pause" | "resume", entry: Entry, kind: "paused" | "running"): void {
    const { state, spec } = entry;
    if (state.kind !== "paused" && state.kind !== "running") throw cannot(what, spec, "it does not run");
    if (state.kind !== kind) this.#become(entry, { kind, pid: state.pid });
  }

  #end(entry: Entry, end: RunEnd): void {
    this.#say(entry, "ended\n");
    this.#become(entry, { kind: "ended", end });
  }

  #become(entry: Entry, state: DriverState): void {
    entry.state = state;
    this.#wake(entry);
    const { id, epoch } = entry.spec;
    for (const listener of this.#listeners) listener({ id, epoch, state });
  }

  #say(entry: Entry, what: string | Uint8Array): void {
    const bytes = typeof what === "string" ? new TextEncoder().encode(what) : what.slice();
    const cursor = String(entry.dropped + entry.log.length + 1);
    entry.log.push({ cursor, timeMs: this.#options.clock.wallMs(), stream: "stdout", bytes });
    if (entry.log.length > PIECES_MAX) {
      entry.log.shift();
      entry.dropped++;
    }
    this.#wake(entry);
  }

  #wake(entry: Entry): void {
    entry.wake.resolve();
    entry.wake = Promise.withResolvers();
  }
}

const KILLED: RunEnd = {
  ...{ isSuccess: false, wasAsked: true, code: 137, signal: "SIGKILL" },
  reason: "it was ended by SIGKILL",
};

function isAlive({ state }: Entry): boolean {
  return state.kind === "running" || state.kind === "paused";
}

function cannot(what: string, { id }: Identity, text: string): DriverError {
  return new DriverError("state", `Cannot ${what} instance ${id}: ${text}`);
}
