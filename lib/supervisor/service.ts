/** One service: carries out what its state machine decides, and feeds it what happens. @module */
import { deadline, sleep } from "../async/mod.ts";
import {
  DEFAULT_POLICY,
  type Effect,
  type Outcome,
  type Policy,
  type ServiceEvent,
  type ServiceState,
  step,
} from "./machine.ts";

/** What a service is. */
export interface ServiceSpec {
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Services that must be ready before this one starts. */
  readonly dependsOn?: readonly string[];
  /** Resolves to whether the service is ready; asked again until it is. Without it a service is ready when it runs. */
  readonly probe?: (signal: AbortSignal) => Promise<boolean>;
  readonly policy?: Partial<Policy>;
}

/** What others may want to know. */
export type Notice =
  | { readonly kind: "state"; readonly service: string; readonly state: ServiceState }
  | {
    readonly kind: "line";
    readonly service: string;
    readonly stream: "stdout" | "stderr";
    readonly text: string;
  };

/** Pause between two readiness probes. */
const PROBE_EVERY_MS = 100;

/** So long after its exit the output of a process is still waited for. */
const DRAIN_MS = 200;

/** A line longer than this is told in pieces. */
const LINE_CHARS = 16_384;

/** A running instance of a spec. */
export class Service {
  readonly spec: ServiceSpec;
  readonly policy: Policy;
  /** How often it was started again after it had ended by itself. */
  restarts = 0;
  #state: ServiceState = { kind: "idle" };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #probing: AbortController | undefined;
  #child: Deno.ChildProcess | undefined;
  readonly #tell: (notice: Notice) => void;
  readonly #work = new Set<Promise<void>>();

  constructor(spec: ServiceSpec, tell: (notice: Notice) => void) {
    this.spec = spec;
    this.policy = { ...DEFAULT_POLICY, ...spec.policy };
    this.#tell = tell;
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** Asks for a change; returns at once. */
  request(what: "start" | "stop" | "restart"): void {
    this.#on({ kind: `${what}Requested` });
  }

  /** Whether the state is one of `kinds`. */
  is(...kinds: ServiceState["kind"][]): boolean {
    return kinds.includes(this.#state.kind);
  }

  /** Resolves when nothing of the service goes on any more: its process, its pipes, its probes. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #on(event: ServiceEvent): void {
    const next = step(this.#state, event, this.policy, performance.now());
    if (next === undefined) return;
    const [state, effects] = next;
    const changed = state !== this.#state;
    this.#state = state;
    if (changed) {
      if (state.kind !== "starting") this.#probing?.abort();
      this.#tell({ kind: "state", service: this.spec.name, state });
    }
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "spawn":
        return this.#spawn();
      case "watchReadiness":
        return this.#watch(this.#probe());
      case "signal":
        return this.#signal(effect.signal);
      case "startTimer":
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#on({ kind: "timerFired" }), effect.ms);
        return;
      case "stopTimer":
        return clearTimeout(this.#timer);
      default:
        return effect satisfies never;
    }
  }

  #spawn(): void {
    const { command: [program, ...args], env, cwd } = this.spec;
    if (this.#state.kind === "backoff") this.restarts++;
    try {
      const child = new Deno.Command(program, {
        args,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        // A session of its own: Ctrl-C in the supervisor's terminal is the supervisor's to act on, in its order.
        detached: true,
        ...(env === undefined ? {} : { env: { ...env } }),
        ...(cwd === undefined ? {} : { cwd }),
      }).spawn();
      this.#child = child;
      this.#watch(this.#follow(child));
      this.#on({ kind: "started", pid: child.pid });
    } catch (error) {
      const text = `cannot start ${program}: ${error instanceof Error ? error.message : error}`;
      this.#tell({ kind: "line", service: this.spec.name, stream: "stderr", text });
      this.#on({ kind: "spawnFailed" });
    }
  }

  /**
   * The exit counts once the pipes are empty, so that the last lines come before it; but a grandchild that still holds
   * them may delay it only so long.
   */
  async #follow(child: Deno.ChildProcess): Promise<void> {
    const readers = [child.stdout, child.stderr].map((pipe) =>
      pipe.pipeThrough(new TextDecoderStream()).getReader()
    );
    const drained = Promise.all([this.#lines(readers[0]!, "stdout"), this.#lines(readers[1]!, "stderr")]);
    const { code, signal } = await child.status;
    using late = deadline(DRAIN_MS);
    const giveUp = () => void Promise.all(readers.map((reader) => reader.cancel()));
    late.signal.addEventListener("abort", giveUp, { once: true });
    await drained;
    late.signal.removeEventListener("abort", giveUp);
    const outcome: Outcome = signal === null ? { code } : { code, signal };
    this.#on({ kind: "exited", outcome });
  }

  async #lines(reader: ReadableStreamDefaultReader<string>, stream: "stdout" | "stderr"): Promise<void> {
    let rest = "";
    const tell = (text: string) => this.#tell({ kind: "line", service: this.spec.name, stream, text });
    for (
      let { value: chunk, done } = await reader.read();
      !done;
      { value: chunk, done } = await reader.read()
    ) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) tell(line);
      for (; rest.length > LINE_CHARS; rest = rest.slice(LINE_CHARS)) tell(rest.slice(0, LINE_CHARS));
    }
    if (rest !== "") tell(rest);
  }

  async #probe(): Promise<void> {
    const { probe } = this.spec;
    const controller = new AbortController();
    this.#probing = controller;
    const { signal } = controller;
    try {
      while (probe !== undefined && !(await probe(signal))) await sleep(PROBE_EVERY_MS, { signal });
      if (!signal.aborted) this.#on({ kind: "ready" });
    } catch (error) {
      // The service left the state in which readiness matters; its exit or stop tells the rest.
      if (!signal.aborted) throw error;
    }
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      this.#child?.kill(signal);
    } catch (error) {
      // It has ended already, and its exit is on its way.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  #watch(work: Promise<void>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}
