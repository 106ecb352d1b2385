/** What the running kernel offers to BPF programs; found out once at start. @module */
import { parseCpuList, type Procfs } from "./procfs.ts";

/** Facts of the kernel. */
export interface Kernel {
  readonly release: string;
  /** CPUs that may ever come online: the number of banks of a per-CPU array. */
  readonly possibleCpus: number;
  /** BTF to resolve structures with, when it is not the kernel's own. */
  readonly btfPath: string | undefined;
  readonly hasBtf: boolean;
  /** Whether BTF describes this tracepoint's arguments. */
  hasTracepoint(event: string): boolean;
  /** Whether BTF describes this function. */
  hasFunction(name: string): boolean;
  readonly hasKprobes: boolean;
}

/** Looks at the kernel. `btfPath` replaces its own BTF. */
export function probeKernel(procfs: Procfs, options: { btfPath?: string } = {}): Kernel {
  const names = btfNames(procfs.bytes(options.btfPath ?? "/sys/kernel/btf/vmlinux"));
  const possible = parseCpuList(procfs.text("/sys/devices/system/cpu/possible") ?? "0");
  return {
    release: procfs.text("/proc/sys/kernel/osrelease")?.trim() ?? "unknown",
    possibleCpus: (possible.at(-1) ?? 0) + 1,
    btfPath: options.btfPath,
    hasBtf: names !== undefined,
    hasTracepoint: (event) => names?.has(`btf_trace_${event}`) ?? false,
    hasFunction: (name) => names?.has(name) ?? false,
    hasKprobes: procfs.exists("/sys/bus/event_source/devices/kprobe"),
  };
}

/** CPUs online now, ascending. */
export function onlineCpus(procfs: Procfs): number[] {
  return parseCpuList(procfs.text("/sys/devices/system/cpu/online") ?? "0");
}

interface BtfNames {
  has(name: string): boolean;
}

/**
 * The names in a BTF blob: its string section, NUL separated. A search in five megabytes takes a millisecond, while
 * parsing the types (libbpf does it when it loads) takes twenty and as many megabytes.
 */
function btfNames(bytes: Uint8Array | undefined): BtfNames | undefined {
  if (bytes === undefined || bytes.length < 24) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== 0xeb9f) return undefined;
  const header = view.getUint32(4, true);
  const start = header + view.getUint32(16, true);
  const text = LATIN1.decode(bytes.subarray(start, start + view.getUint32(20, true)));
  const known = new Map<string, boolean>();
  return {
    has(name) {
      const found = known.get(name) ?? text.includes(`\0${name}\0`);
      known.set(name, found);
      return found;
    },
  };
}

const LATIN1 = new TextDecoder("latin1");
