/** What a sampler is, and what it is given. @module */
import type { Entries } from "../config/mod.ts";
import type { Group, Metric } from "../metrics/mod.ts";
import type { BpfSource, BpfSpec, ProgramReport } from "./bpf/source.ts";
import type { Kernel } from "./kernel.ts";
import type { Procfs } from "./procfs.ts";

/** One subject that is sampled; an entry of the list in `samplers/mod.ts`. */
export interface Sampler {
  /** As in configuration files, for example `cpu_usage`. */
  readonly name: string;
  /** One sentence for configuration samples and documentation. */
  readonly summary: string;
  /** Every metric it can emit, for `/metrics/descriptions` and the documentation. */
  readonly metrics: readonly Metric[];
  /** Its configuration keys beside `enabled`. */
  readonly settings?: Entries;
  /** Starts it on this host. Must leave nothing open when it is unavailable or throws. */
  open(env: SamplerEnv): Sampling | Unavailable;
}

/** A sampler at work. */
export interface Sampling extends Disposable {
  /** Reads everything now; the arrays in the groups are valid until the next call. */
  sample(): readonly Group[];
  /** Why it tells less than it could, where that is not told by the objects that it asked for. */
  readonly degraded?: Unavailable;
}

/** Why a sampler cannot work on this host: an expected outcome, not a failure. */
export interface Unavailable {
  readonly unavailable: string;
  /** Of the programs that it would have needed. */
  readonly programs?: readonly ProgramReport[];
}

/** Says why a sampler cannot work. */
export function unavailable(reason: string, programs: readonly ProgramReport[] = []): Unavailable {
  return programs.length === 0 ? { unavailable: reason } : { unavailable: reason, programs };
}

/** What a sampler is given when it is opened. */
export interface SamplerEnv {
  readonly procfs: Procfs;
  readonly kernel: Kernel;
  /** Names of all samplers that will be opened: programs that several share are set up for all of them at once. */
  readonly enabled: ReadonlySet<string>;
  /** The sampler's own configuration keys beside `enabled`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Opens a BPF object, once for all samplers that ask for it. */
  bpf(spec: BpfSpec): BpfSource | Unavailable;
  /** All objects that are loaded now; complete at the first sample. */
  sources(): readonly BpfSource[];
}
