/**
 * Binding of libbpf: BPF objects with their programs, maps and links (see `bpf.h` for who owns what).
 *
 * It knows nothing of samplers: which program of several variants to take is decided in `lib/telemetry`.
 * @module
 */
import { openLibrary } from "../assets.ts";
import { cString } from "../c_string.ts";
import { check, errnoOf, SystemError } from "../errno.ts";

const SYMBOLS = {
  hk_bpf_open: { parameters: ["buffer", "u64", "buffer", "buffer", "buffer"], result: "i32" },
  hk_bpf_set: { parameters: ["pointer", "buffer", "buffer", "u32"], result: "i32" },
  hk_bpf_resize: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  hk_bpf_set_program: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  hk_bpf_set_map: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  hk_bpf_load: { parameters: ["pointer"], result: "i32" },
  hk_bpf_attach: { parameters: ["pointer", "buffer"], result: "i32" },
  hk_bpf_map: { parameters: ["pointer", "buffer", "i32", "buffer"], result: "i32" },
  hk_bpf_map_name: { parameters: ["pointer", "u32", "buffer", "u32"], result: "i32" },
  hk_bpf_update: { parameters: ["pointer", "buffer", "buffer", "buffer"], result: "i32" },
  hk_bpf_push: { parameters: ["pointer", "buffer", "buffer", "u32"], result: "i32" },
  hk_bpf_program: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  hk_bpf_run_on: { parameters: ["pointer", "buffer", "u32", "buffer", "u32"], result: "i32" },
  hk_bpf_take_log: { parameters: ["buffer", "u32"], result: "i32" },
  hk_bpf_close: { parameters: ["pointer"], result: "void" },
} as const;

let library: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;

/** Opened on first use and kept: the library holds libbpf's process-wide print function. */
function lib(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  library ??= openLibrary("bpf", SYMBOLS);
  return library.symbols;
}

/** What the kernel counts of one program. The two run figures stay 0 unless `kernel.bpf_stats_enabled` is 1. */
export interface ProgramInfo {
  readonly id: number;
  readonly runCount: number;
  readonly runNs: number;
  readonly instructions: number;
}

/** A map and, where it is a mappable array, its memory. */
export interface MapInfo {
  /** Distance of two entries in `memory`, a multiple of 8. */
  readonly valueBytes: number;
  readonly entries: number;
  /** Kernel memory that the map holds, 0 where the kernel does not tell. */
  readonly lockedBytes: number;
  /** The live array itself; `undefined` for maps that cannot be mapped. Gone after `close`. */
  readonly memory: ArrayBuffer | undefined;
}

/** The reason that libbpf or the verifier gave, beside the errno. */
export class BpfError extends SystemError {
  /** libbpf's text, the verifier's last lines included; may be empty. */
  readonly log: string;
  /** The program that was being attached; `undefined` for what concerns the object. */
  readonly program: string | undefined;

  constructor(what: string, errno: number, log: string, program?: string) {
    super(what, errno, { detail: reasonIn(log) });
    this.log = log;
    this.program = program;
  }
}

/**
 * The reason in libbpf's words: the verifier's last lines where it has spoken, with the program's name, else the last
 * of all.
 */
function reasonIn(log: string): string {
  const [, verifier, program] = [...log.matchAll(VERIFIER_LOG)].at(-1) ?? [];
  const lines = (verifier ?? log).split("\n").map((line) => line.trim().replaceAll(/\s{2,}/g, " "))
    .filter((line) => line !== "" && !NO_REASON.test(line)).slice(-REASON_LINES);
  return [...program === undefined ? [] : [`program "${program}"`], ...lines].join(" | ");
}

/** What libbpf prints of the verifier; the beginning of a long log is lost, and the name stands behind it too. */
const VERIFIER_LOG = /^([\s\S]*)-- END PROG LOAD LOG --\nlibbpf: prog '([^']+)': failed to load/g;
/** The verifier's statistics and states of registers, libbpf's frame. */
const NO_REASON = /^processed \d+ insns|^regs=|^R\d+(_\w+)?=|-- (BEGIN|END) PROG LOAD LOG --/;
/** How many lines of a reason an error message carries. */
const REASON_LINES = 3;
const LOG_BYTES = 16_384;
const MAP_NAME_BYTES = 256;
const NO_ARGUMENTS = new BigUint64Array();
/** What the kernel answers for a CPU that is offline, and where it has no such call: a number without a name. */
const OFFLINE = errnoOf("ENXIO");
const ENOTSUPP = 524;
/** What the shim answers behind the last map. */
const NO_MORE = errnoOf("ENOENT");

/** One BPF object. Everything it made, links first, is gone after `close`; the kernel frees programs a moment later. */
export class BpfObject implements Disposable {
  readonly name: string;
  #handle: Deno.PointerValue;

  /**
   * Opens an object from the bytes of its file; nothing is in the kernel before `load`.
   * @throws {BpfError} When the bytes are not a BPF object.
   */
  constructor(image: Uint8Array<ArrayBuffer>, options: { name: string; btfPath?: string }) {
    this.name = options.name;
    const out = new BigUint64Array(1);
    const btf = options.btfPath === undefined ? null : cString(options.btfPath);
    const result = lib().hk_bpf_open(image, BigInt(image.byteLength), cString(options.name), btf, out);
    if (result < 0) throw new BpfError(`open BPF object "${this.name}"`, -result, takeLog());
    this.#handle = Deno.UnsafePointer.create(out[0]!);
  }

  /** Sets the `const volatile` variable `name`, whose size must be that of `value`. Before `load`. */
  set(name: string, value: ArrayBufferView<ArrayBuffer>): void {
    const result = lib().hk_bpf_set(this.#open(), cString(name), value, value.byteLength);
    check(`set "${name}" of BPF object "${this.name}"`, result);
  }

  /** Number of entries of a map. Before `load`. */
  resize(map: string, entries: number): void {
    const result = lib().hk_bpf_resize(this.#open(), cString(map), entries);
    check(`resize map "${map}" of BPF object "${this.name}"`, result);
  }

  /** Whether `load` takes a program with it. */
  setProgram(program: string, load: boolean): void {
    const result = lib().hk_bpf_set_program(this.#open(), cString(program), Number(load));
    check(`choose program "${program}" of BPF object "${this.name}"`, result);
  }

  /** Whether `load` makes a map. */
  setMap(map: string, make: boolean): void {
    const result = lib().hk_bpf_set_map(this.#open(), cString(map), Number(make));
    check(`choose map "${map}" of BPF object "${this.name}"`, result);
  }

  /** Verifies and loads. @throws {BpfError} With the verifier's last lines. */
  load(): void {
    takeLog();
    const result = lib().hk_bpf_load(this.#open());
    if (result < 0) throw new BpfError(`load BPF object "${this.name}"`, -result, takeLog());
  }

  /** Attaches a loaded program to the hook its section names. @throws {BpfError} When the kernel refuses. */
  attach(program: string): void {
    takeLog();
    const result = lib().hk_bpf_attach(this.#open(), cString(program));
    if (result < 0) {
      const what = `attach program "${program}" of BPF object "${this.name}"`;
      throw new BpfError(what, -result, takeLog(), program);
    }
  }

  /** Describes a map; a mappable array comes with its memory, read-only unless `writable`. After `load`. */
  map(map: string, options: { writable?: boolean } = {}): MapInfo {
    const out = new BigUint64Array(5);
    const result = lib().hk_bpf_map(this.#open(), cString(map), Number(options.writable ?? false), out);
    check(`map "${map}" of BPF object "${this.name}"`, result);
    const [address = 0n, bytes = 0n, valueBytes = 0n, entries = 0n, lockedBytes = 0n] = out;
    const pointer = Deno.UnsafePointer.create(address);
    return {
      valueBytes: Number(valueBytes),
      entries: Number(entries),
      lockedBytes: Number(lockedBytes),
      memory: pointer === null ? undefined : Deno.UnsafePointerView.getArrayBuffer(pointer, Number(bytes)),
    };
  }

  /** Names of all maps that were made. After `load`. */
  mapNames(): string[] {
    const names: string[] = [];
    const buffer = new Uint8Array(MAP_NAME_BYTES);
    for (let index = 0;; index++) {
      const length = lib().hk_bpf_map_name(this.#open(), index, buffer, buffer.length);
      if (length === -NO_MORE) return names;
      check(`list maps of BPF object "${this.name}"`, length);
      if (length > 0) names.push(new TextDecoder().decode(buffer.subarray(0, length)));
    }
  }

  /** Writes one entry of a map. */
  update(map: string, key: ArrayBufferView<ArrayBuffer>, value: ArrayBufferView<ArrayBuffer>): void {
    const result = lib().hk_bpf_update(this.#open(), cString(map), key, value);
    check(`update map "${map}" of BPF object "${this.name}"`, result);
  }

  /** Pushes values into a queue; returns how many found room. */
  push(map: string, values: Uint32Array<ArrayBuffer>): number {
    const result = lib().hk_bpf_push(this.#open(), cString(map), values, values.length);
    return check(`push into map "${map}" of BPF object "${this.name}"`, result);
  }

  /** Identity and run statistics of a loaded program. */
  program(program: string): ProgramInfo {
    const out = new BigUint64Array(4);
    const result = lib().hk_bpf_program(this.#open(), cString(program), out);
    check(`describe program "${program}" of BPF object "${this.name}"`, result);
    const [id = 0n, runCount = 0n, runNs = 0n, instructions = 0n] = out;
    return {
      id: Number(id),
      runCount: Number(runCount),
      runNs: Number(runNs),
      instructions: Number(instructions),
    };
  }

  /**
   * Runs a raw tracepoint program once on a CPU, with `context` as the event's arguments. Tells whether it ran: not on
   * a CPU that is offline, and nowhere before Linux 5.10.
   */
  runOn(program: string, cpu: number, context: BigUint64Array<ArrayBuffer> = NO_ARGUMENTS): boolean {
    const result = lib().hk_bpf_run_on(this.#open(), cString(program), cpu, context, context.length);
    if (result === -OFFLINE || result === -ENOTSUPP) return false;
    check(`run program "${program}" of BPF object "${this.name}" on CPU ${cpu}`, result);
    return true;
  }

  /** What libbpf said on this thread since it was last asked or an error took it, line by line. */
  static takeLog(): string[] {
    return takeLog().split("\n").filter((line) => line !== "");
  }

  /** Detaches, unmaps, frees. Doing it twice is harmless; arrays from `map` must not be touched afterwards. */
  close(): void {
    if (this.#handle === null) return;
    lib().hk_bpf_close(this.#handle);
    this.#handle = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Deno.PointerValue {
    if (this.#handle === null) throw new TypeError(`Cannot use BPF object "${this.name}": it is closed`);
    return this.#handle;
  }
}

function takeLog(): string {
  const buffer = new Uint8Array(LOG_BYTES);
  const length = lib().hk_bpf_take_log(buffer, buffer.length);
  return new TextDecoder().decode(buffer.subarray(0, length));
}
