/**
 * A BPF object at work: programs chosen, loaded and attached; arrays mapped.
 *
 * A source serves several samplers (one program on `sched_switch` serves three), so it is opened once with the
 * settings that suit all of them and closed when the agent ends. What the kernel refused is kept for `/status`.
 * @module
 */
import { assetPath } from "../../../ffi/assets.ts";
import { BpfError, BpfObject, type MapInfo } from "../../../ffi/bpf/mod.ts";
import type { Kernel } from "../kernel.ts";
import {
  type Choice,
  choose,
  type Hook,
  programName,
  refuse,
  refusedProgram,
  type Variant,
} from "./variants.ts";

/** What an object consists of; one per `bpf/<object>.bpf.c`. */
export interface BpfSpec {
  readonly object: string;
  readonly hooks: readonly Hook[];
  /** Whether all programs must be of one variant, since they share state by variant. */
  readonly uniform: boolean;
  /** Maps that only some variants need: others do not make them. */
  readonly mapsOf: Partial<Record<Variant, readonly string[]>>;
  /** Programs beside the hooks that user space runs itself, by the variant they belong to. */
  readonly helpersOf: Partial<Record<Variant, readonly string[]>>;
  /** Fills maps that programs need from their first run on: called after load, before anything is attached. */
  fill?(object: BpfObject): void;
  /** Number of entries of maps whose size depends on the host. */
  sizes(host: { possibleCpus: number; shards: number }): Record<string, number>;
  /** Values of `const volatile` variables, by the samplers that are enabled, their settings and what is loaded. */
  settings(
    enabled: ReadonlySet<string>,
    settings: SettingsBySampler,
    load: { kernel: Kernel; variants: ReadonlySet<Variant | undefined> },
  ): Record<string, ArrayBufferView<ArrayBuffer>>;
}

/** The configuration keys of each sampler, by its name. */
export type SettingsBySampler = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

/** One program's state, for `/status`. */
export interface ProgramReport {
  readonly object: string;
  readonly event: string;
  /** `ok` with the best variant, `degraded` with a later one, `unsupported` when the kernel lacks every hook. */
  readonly verdict: "ok" | "degraded" | "unsupported" | "failed";
  /** The variant in use. */
  readonly variant?: Variant;
  /** Why better variants were passed over, or why none works. */
  readonly reason?: string;
}

/** Histograms are sharded over at most so many groups of CPUs: 16 of them on 8 shards take half a megabyte. */
const MAX_SHARDS = 8;

/** Not one program of an object could be attached. */
export class AttachError extends Error {
  override readonly name = "AttachError";
  /** The reasons without the object's name: what several objects have in common is told once. */
  readonly reason: string;
  readonly reports: readonly ProgramReport[];

  constructor(object: string, choices: readonly Choice[]) {
    const reason = lastReasons(choices);
    super(`Cannot attach BPF object "${object}": ${reason}`);
    this.reason = reason;
    this.reports = choices.map((choice) => report(object, choice));
  }
}

/** A loaded object. */
export class BpfSource implements Disposable {
  readonly name: string;
  readonly object: BpfObject;
  readonly reports: readonly ProgramReport[];
  /** The variant of all programs of a uniform object; of the first hook otherwise. */
  readonly variant: Variant | undefined;
  readonly possibleCpus: number;
  readonly shards: number;
  readonly #programs: readonly string[];
  readonly #mapNames: readonly string[];
  readonly #maps = new Map<string, MapInfo>();
  readonly #words = new Map<string, Uint32Array>();

  private constructor(spec: BpfSpec, object: BpfObject, choices: readonly Choice[], kernel: Kernel) {
    this.name = spec.object;
    this.object = object;
    this.reports = choices.map((choice) => report(spec.object, choice));
    this.variant = choices[0]?.variant;
    this.possibleCpus = kernel.possibleCpus;
    this.shards = shardsFor(kernel.possibleCpus);
    this.#mapNames = object.mapNames();
    this.#programs = choices.flatMap((choice) =>
      choice.variant === undefined ? [] : [programName(choice.hook, choice.variant)]
    );
  }

  /**
   * Loads and attaches. Each refusal costs one more try with the next variant, so the number of tries is that of
   * variants at most.
   * @throws {AttachError} When not one program could be attached; the message has the last reason of each.
   */
  static open(spec: BpfSpec, kernel: Kernel, options: {
    enabled: ReadonlySet<string>;
    settings: SettingsBySampler;
    /** Hears what libbpf says beside errors. */
    log?: (line: string) => void;
  }): BpfSource {
    const image = readObject(spec.object);
    let choices = choose(spec.hooks, (hook, variant) => reasonAgainst(kernel, hook, variant));
    for (;;) {
      const chosen = choices.filter((choice) => choice.variant !== undefined);
      if (chosen.length === 0) throw new AttachError(spec.object, choices);
      const object = prepare(spec, image, choices, kernel, options);
      try {
        object.load();
        spec.fill?.(object);
        for (const { hook, variant } of chosen) object.attach(programName(hook, variant!));
        for (const line of BpfObject.takeLog()) options.log?.(line);
        return new BpfSource(spec, object, choices, kernel);
      } catch (error) {
        object.close();
        if (!(error instanceof BpfError)) throw error;
        const program = error.program ?? refusedProgram(error.log);
        choices = refuse(choices, program, error.message, spec.uniform);
      }
    }
  }

  /** A mapped array as 32-bit words; live: the kernel goes on writing. */
  words(map: string): Uint32Array {
    const known = this.#words.get(map);
    if (known !== undefined) return known;
    const { memory } = this.map(map);
    if (memory === undefined) {
      throw new TypeError(`Cannot read map "${map}" of "${this.name}": it is not mappable`);
    }
    const words = new Uint32Array(memory);
    this.#words.set(map, words);
    return words;
  }

  /** Layout and kernel memory of a map. */
  map(map: string): MapInfo {
    let info = this.#maps.get(map);
    if (info === undefined) this.#maps.set(map, info = this.object.map(map));
    return info;
  }

  /** Kernel memory of all maps. */
  mapBytes(): number {
    return this.#mapNames.reduce((sum, name) => sum + this.map(name).lockedBytes, 0);
  }

  /** Run counts and times of each attached program; zeros unless the kernel keeps statistics. */
  programs(): { program: string; runCount: number; runNs: number; instructions: number }[] {
    return this.#programs.map((program) => ({ program, ...this.object.program(program) }));
  }

  [Symbol.dispose](): void {
    this.object.close();
  }
}

function readObject(name: string): Uint8Array<ArrayBuffer> {
  const path = assetPath(`bpf/${name}.bpf.o`);
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const found = cause instanceof Deno.errors.NotFound
      ? `there is no such file; run "deno task setup"`
      : String(cause);
    throw new Error(`Cannot read BPF object "${name}" at ${path}: ${found}`, { cause });
  }
}

/** Power of two, at most `MAX_SHARDS`, not above the number of CPUs rounded up. */
function shardsFor(cpus: number): number {
  let shards = 1;
  while (shards < cpus && shards < MAX_SHARDS) shards *= 2;
  return shards;
}

/** What every program of a process without the right is refused with. */
const NO_RIGHT = "this process may not load BPF programs: it needs root, or CAP_BPF and CAP_PERFMON";

function reasonAgainst(kernel: Kernel, hook: Hook, variant: Variant): string | undefined {
  if (!kernel.mayLoadBpf) return NO_RIGHT;
  if (kernel.avoided.includes(variant)) return "passed over by configuration (general.avoid_hooks)";
  switch (variant) {
    case "tp_btf":
    case "raw_tp":
      // Without BTF the structures' layout is unknown, and CO-RE cannot place a single member.
      if (!kernel.hasBtf) return "the kernel has no BTF (/sys/kernel/btf/vmlinux)";
      return kernel.hasTracepoint(hook.event) ? undefined : `the kernel has no tracepoint ${hook.event}`;
    case "kprobe":
      return kernel.hasKprobes ? undefined : "the kernel has no kprobes (CONFIG_KPROBES)";
    default:
      return kernel.hasBtf ? undefined : "the kernel has no BTF (/sys/kernel/btf/vmlinux)";
  }
}

function prepare(
  spec: BpfSpec,
  image: Uint8Array<ArrayBuffer>,
  choices: readonly Choice[],
  kernel: Kernel,
  options: { enabled: ReadonlySet<string>; settings: SettingsBySampler },
): BpfObject {
  const btf = kernel.btfPath === undefined ? {} : { btfPath: kernel.btfPath };
  const object = new BpfObject(image, { name: spec.object, ...btf });
  try {
    const variants = new Set(choices.map((choice) => choice.variant));
    for (const { hook, variant } of choices) {
      for (const each of hook.variants) object.setProgram(programName(hook, each), each === variant);
    }
    for (const [variant, programs] of Object.entries(spec.helpersOf)) {
      for (const program of programs) object.setProgram(program, variants.has(variant as Variant));
    }
    const mapsOf = Object.entries(spec.mapsOf) as [Variant, readonly string[]][];
    const needed = new Set(mapsOf.flatMap(([variant, maps]) => variants.has(variant) ? maps : []));
    for (const map of new Set(mapsOf.flatMap(([, maps]) => maps))) object.setMap(map, needed.has(map));
    const shards = shardsFor(kernel.possibleCpus);
    const sizes = spec.sizes({ possibleCpus: kernel.possibleCpus, shards });
    for (const [map, entries] of Object.entries(sizes)) object.resize(map, entries);
    object.set("shard_mask", Uint32Array.of(shards - 1));
    const settings = spec.settings(options.enabled, options.settings, { kernel, variants });
    for (const [name, value] of Object.entries(settings)) object.set(name, value);
    return object;
  } catch (error) {
    object.close();
    throw error;
  }
}

function report(object: string, choice: Choice): ProgramReport {
  const reason = choice.refusals.map(({ variant, reason }) => `${variant}: ${reason}`).join("; ");
  const event = choice.hook.event;
  if (choice.variant === undefined) {
    const isUnsupported = choice.refusals.every(({ isMissing, reason }) => isMissing && reason !== NO_RIGHT);
    // A reason that all variants share is told once.
    const reasons = [...new Set(choice.refusals.map((refusal) => refusal.reason))];
    const shown = reasons.length === 1 ? reasons[0]! : reason;
    return { object, event, verdict: isUnsupported ? "unsupported" : "failed", reason: shown };
  }
  if (reason === "") return { object, event, verdict: "ok", variant: choice.variant };
  return { object, event, verdict: "degraded", variant: choice.variant, reason };
}

function lastReasons(choices: readonly Choice[]): string {
  return [...new Set(choices.map((choice) => choice.refusals.at(-1)?.reason ?? "it has no variant"))].join(
    "; ",
  );
}
