/**
 * The agent: opens the samplers that a configuration asks for, samples them when somebody looks, and says what works.
 *
 * There is no timer. A look that comes within the TTL of the last one gets the same snapshot, so that ten readers cost
 * no more than one.
 * @module
 */
import { clockNs } from "../../ffi/sys/mod.ts";
import type { Group, Metric, Snapshot } from "../metrics/mod.ts";
import type { Log } from "../log/mod.ts";
import {
  AttachError,
  BpfSource,
  type BpfSpec,
  type ProgramReport,
  type SettingsBySampler,
} from "./bpf/source.ts";
import { type AgentConfig, enabledSamplers } from "./config.ts";
import type { Kernel } from "./kernel.ts";
import type { Procfs } from "./procfs.ts";
import { type Sampler, type Sampling, type Unavailable, unavailable } from "./sampler.ts";
import { SAMPLERS } from "./samplers/mod.ts";

/** What the agent is made of; tests bring their own clock, samplers and files. */
export interface AgentOptions {
  readonly config: AgentConfig;
  readonly version: string;
  readonly procfs: Procfs;
  readonly kernel: Kernel;
  readonly log: Log;
  readonly samplers?: readonly Sampler[];
  /** What others pushed; asked at each sample. */
  readonly external?: GroupSource;
  /** Unix time in nanoseconds, and a steady clock in milliseconds. */
  readonly clock?: { unixNs(): bigint; steadyMs(): number };
}

/** Groups that are no sampler's. */
export interface GroupSource {
  /** Those whose help the agent tells. */
  readonly metrics: readonly Pick<Metric, "name" | "help">[];
  /** Everything at this time of the steady clock, in milliseconds. */
  groups(nowMs: number): readonly Group[];
}

/** State of one sampler, for `/status`. */
export interface SamplerStatus {
  readonly name: string;
  readonly state: "ok" | "degraded" | "unavailable" | "failed" | "disabled";
  readonly reason?: string;
  readonly programs: readonly ProgramReport[];
}

/** What `/status` tells. */
export interface AgentStatus {
  readonly version: string;
  readonly uptime_seconds: number;
  readonly ttl_seconds: number;
  readonly kernel: string;
  readonly samplers: readonly SamplerStatus[];
  readonly bpf: readonly { object: string; map_bytes: number }[];
}

interface Running {
  readonly name: string;
  readonly sampling: Sampling;
  /** Objects that it asked for. */
  readonly sources: readonly (BpfSource | Unavailable)[];
  /** Set when a sample failed; it is tried again at the next one. */
  failure?: string;
}

const REAL_CLOCK = {
  unixNs: () => clockNs("realtime"),
  steadyMs: () => performance.now(),
};

/** An open agent. Disposing it detaches every program. */
export class Agent implements Disposable {
  readonly version: string;
  readonly ttlMs: number;
  readonly #options: AgentOptions;
  readonly #clock: NonNullable<AgentOptions["clock"]>;
  readonly #running: Running[] = [];
  readonly #idle: SamplerStatus[] = [];
  readonly #sources = new Map<string, BpfSource | Unavailable>();
  readonly #startedMs: number;
  #last: { readonly atMs: number; readonly snapshot: Snapshot } | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#clock = options.clock ?? REAL_CLOCK;
    this.#startedMs = this.#clock.steadyMs();
    this.version = options.version;
    this.ttlMs = options.config.general.ttl;
    const enabled = enabledSamplers(options.config);
    try {
      for (const sampler of options.samplers ?? SAMPLERS) this.#open(sampler, enabled);
      this.#tellUnavailable();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** What all samplers see now, or saw within the TTL. Its arrays are valid until the next sample. */
  snapshot(): Snapshot {
    const now = this.#clock.steadyMs();
    if (this.#last !== undefined && now - this.#last.atMs < this.ttlMs) return this.#last.snapshot;
    const timeNs = this.#clock.unixNs();
    const groups: Group[] = [];
    for (const running of this.#running) groups.push(...this.#sample(running));
    groups.push(...this.#options.external?.groups(now) ?? []);
    const durationNs = BigInt(Math.round((this.#clock.steadyMs() - now) * 1e6));
    const metadata = { source: "rezolus", version: this.version };
    this.#last = { atMs: now, snapshot: { timeNs, durationNs, metadata, groups } };
    return this.#last.snapshot;
  }

  /** State of every sampler, enabled or not. */
  status(): AgentStatus {
    const running = this.#running.map(({ name, sampling, sources, failure }): SamplerStatus => {
      const programs = sources.flatMap((source) =>
        "unavailable" in source ? source.programs ?? [] : source.reports
      );
      if (failure !== undefined) return { name, state: "failed", reason: failure, programs };
      const missing = sampling.degraded ?? sources.find((source) => "unavailable" in source);
      const worst = programs.find(({ verdict }) => verdict !== "ok");
      const reason = missing?.unavailable ?? worst?.reason ?? worst?.verdict;
      return reason === undefined
        ? { name, state: "ok", programs }
        : { name, state: "degraded", reason, programs };
    });
    return {
      version: this.version,
      uptime_seconds: Math.floor((this.#clock.steadyMs() - this.#startedMs) / 1000),
      ttl_seconds: this.ttlMs / 1000,
      kernel: this.#options.kernel.release,
      samplers: [...running, ...this.#idle].sort((left, right) => left.name < right.name ? -1 : 1),
      bpf: this.#loadedSources().map((source) => ({ object: source.name, map_bytes: source.mapBytes() })),
    };
  }

  /** Help by metric name, of every sampler this agent knows. */
  descriptions(): Record<string, string> {
    const { samplers = SAMPLERS, external } = this.#options;
    const metrics = [...samplers.flatMap((sampler) => sampler.metrics), ...external?.metrics ?? []];
    return Object.fromEntries(metrics.map((metric) => [metric.name, metric.help]));
  }

  [Symbol.dispose](): void {
    for (const { sampling } of this.#running.splice(0)) sampling[Symbol.dispose]();
    for (const source of this.#loadedSources()) source[Symbol.dispose]();
    this.#sources.clear();
  }

  #open(sampler: Sampler, enabled: ReadonlySet<string>): void {
    const { name } = sampler;
    if (!enabled.has(name)) {
      this.#idle.push({ name, state: "disabled", programs: [] });
      return;
    }
    const { procfs, kernel, log } = this.#options;
    const settings = this.#settings[name] ?? {};
    const asked: (BpfSource | Unavailable)[] = [];
    const bpf = (spec: BpfSpec) => {
      const source = this.#source(spec, enabled);
      asked.push(source);
      return source;
    };
    const sources = () => this.#loadedSources();
    try {
      const sampling = sampler.open({ procfs, kernel, enabled, settings, bpf, sources });
      if ("unavailable" in sampling) {
        const { unavailable: reason, programs = [] } = sampling;
        this.#idle.push({ name, state: "unavailable", reason, programs });
      } else this.#running.push({ name, sampling, sources: asked });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error(`sampler failed to start: ${reason}`, { sampler: name });
      this.#idle.push({ name, state: "failed", reason, programs: [] });
    }
  }

  /** One line for a reason, however many samplers share it. */
  #tellUnavailable(): void {
    const reasons = new Map<string, string[]>();
    for (const { name, state, reason } of this.#idle) {
      if (state === "unavailable") reasons.set(reason!, [...reasons.get(reason!) ?? [], name]);
    }
    for (const [reason, names] of reasons) {
      this.#options.log.warn(`not sampled: ${reason}`, { samplers: names.join(",") });
    }
  }

  /** One object serves several samplers, with the settings of all of them. */
  #source(spec: BpfSpec, enabled: ReadonlySet<string>): BpfSource | Unavailable {
    let source = this.#sources.get(spec.object);
    if (source === undefined) {
      const settings = this.#settings;
      try {
        const log = (line: string) => this.#options.log.debug(line, { object: spec.object });
        source = BpfSource.open(spec, this.#options.kernel, { enabled, settings, log });
      } catch (error) {
        source = error instanceof AttachError
          ? unavailable(error.reason, error.reports)
          : unavailable(error instanceof Error ? error.message : String(error));
      }
      this.#sources.set(spec.object, source);
    }
    return source;
  }

  get #settings(): SettingsBySampler {
    return this.#options.config.samplers as SettingsBySampler;
  }

  #loadedSources(): BpfSource[] {
    return [...this.#sources.values()].filter((source) => source instanceof BpfSource);
  }

  #sample(running: Running): readonly Group[] {
    const beginNs = this.#clock.unixNs();
    const begin = this.#clock.steadyMs();
    try {
      const groups = running.sampling.sample();
      const widthNs = Math.round((this.#clock.steadyMs() - begin) * 1e6);
      delete running.failure;
      return groups.map((group) => ({ ...group, window: { beginNs, widthNs } }));
    } catch (error) {
      // The others go on: a value that cannot be read once is missing, not a reason to tell nothing.
      running.failure = error instanceof Error ? error.message : String(error);
      this.#options.log.error(`sampling failed: ${running.failure}`, { sampler: running.name });
      return [];
    }
  }
}
