/** What the running kernel offers to BPF programs; found out once at start. @module */
import { parseCpuList, type Procfs } from "./procfs.ts";

/** Facts of the kernel. */
export interface Kernel {
  readonly release: string;
  /** CPUs that may ever come online: the number of banks of a per-CPU array. */
  readonly possibleCpus: number;
  /** Whether this process has the right to load BPF programs. */
  readonly mayLoadBpf: boolean;
  /** BTF to resolve structures with, when it is not the kernel's own. */
  readonly btfPath: string | undefined;
  readonly hasBtf: boolean;
  /** Whether BTF describes this tracepoint's arguments. */
  hasTracepoint(event: string): boolean;
  readonly hasKprobes: boolean;
}

/** Looks at the kernel. `btfPath` replaces its own BTF. */
export function probeKernel(procfs: Procfs, options: { btfPath?: string } = {}): Kernel {
  const tracepoints = btfTracepoints(procfs.bytes(options.btfPath ?? "/sys/kernel/btf/vmlinux"));
  const possible = parseCpuList(procfs.text("/sys/devices/system/cpu/possible") ?? "0");
  return {
    release: procfs.text("/proc/sys/kernel/osrelease")?.trim() ?? "unknown",
    possibleCpus: (possible.at(-1) ?? 0) + 1,
    mayLoadBpf: hasCapability(procfs, CAP_BPF) || hasCapability(procfs, CAP_SYS_ADMIN),
    btfPath: options.btfPath,
    hasBtf: tracepoints !== undefined,
    hasTracepoint: (event) => tracepoints?.has(event) ?? false,
    hasKprobes: procfs.exists("/sys/bus/event_source/devices/kprobe"),
  };
}

/** include/uapi/linux/capability.h; CAP_BPF since Linux 5.8. */
const CAP_SYS_ADMIN = 21;
const CAP_BPF = 39;

function hasCapability(procfs: Procfs, capability: number): boolean {
  const effective = /^CapEff:\s+([0-9a-f]+)$/m.exec(procfs.text("/proc/self/status") ?? "")?.[1];
  return effective !== undefined && (BigInt(`0x${effective}`) >> BigInt(capability) & 1n) === 1n;
}

/** CPUs online now, ascending. */
export function onlineCpus(procfs: Procfs): number[] {
  return parseCpuList(procfs.text("/sys/devices/system/cpu/online") ?? "0");
}

/**
 * The tracepoints that a BTF blob describes, from its string section (NUL separated names). Going through five
 * megabytes of names takes milliseconds, while parsing the types (libbpf does it when it loads) takes as many
 * megabytes and longer.
 */
function btfTracepoints(bytes: Uint8Array | undefined): Set<string> | undefined {
  if (bytes === undefined || bytes.length < 24) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== BTF_MAGIC) return undefined;
  const start = view.getUint32(4, true) + view.getUint32(16, true);
  const text = LATIN1.decode(bytes.subarray(start, start + view.getUint32(20, true)));
  // Names are copied: a slice would keep the whole text alive.
  return new Set([...text.matchAll(/\0btf_trace_(\w+)(?=\0)/g)].map(([, name]) => structuredClone(name!)));
}

const BTF_MAGIC = 0xeb9f;
const LATIN1 = new TextDecoder("latin1");
