/** What the running kernel offers to BPF programs; found out once at start. @module */
import type { Variant } from "./bpf/variants.ts";
import { parseBtf, tracepointArguments, tracepointNames } from "./btf.ts";
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
  /** Number of this tracepoint's arguments in BTF, which is read for it (megabytes); `undefined` where it is not there. */
  tracepointArguments(event: string): number | undefined;
  readonly hasKprobes: boolean;
  /** Variants of programs that are passed over by configuration. */
  readonly avoided: readonly Variant[];
}

/** Looks at the kernel. `btfPath` replaces its own BTF; `avoided` variants count as missing. */
export function probeKernel(
  procfs: Procfs,
  options: { btfPath?: string; avoided?: readonly Variant[] } = {},
): Kernel {
  // Read anew when something is asked of it: megabytes that are not kept.
  const readBtf = () => parseBtf(procfs.bytes(options.btfPath ?? "/sys/kernel/btf/vmlinux"));
  const btf = readBtf();
  const tracepoints = btf && tracepointNames(btf);
  const possible = parseCpuList(procfs.text("/sys/devices/system/cpu/possible") ?? "0");
  return {
    release: procfs.text("/proc/sys/kernel/osrelease")?.trim() ?? "unknown",
    possibleCpus: (possible.at(-1) ?? 0) + 1,
    mayLoadBpf: hasCapability(procfs, CAP_BPF) || hasCapability(procfs, CAP_SYS_ADMIN),
    btfPath: options.btfPath,
    hasBtf: tracepoints !== undefined,
    hasTracepoint: (event) => tracepoints?.has(event) ?? false,
    tracepointArguments: (event) => {
      const now = readBtf();
      return now && tracepointArguments(now, event);
    },
    hasKprobes: procfs.exists("/sys/bus/event_source/devices/kprobe"),
    avoided: options.avoided ?? [],
  };
}

/** Whether a release, `5.10.0-32-cloud-amd64`, is before Linux `major.minor`. */
export function isBefore(release: string, major: number, minor: number): boolean {
  const [, ownMajor, ownMinor] = /^(\d+)\.(\d+)/.exec(release)?.map(Number) ?? [];
  if (ownMajor === undefined || ownMinor === undefined) return false;
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
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
