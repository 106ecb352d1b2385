/** Hardware of the host as `/systeminfo` tells it: from `/proc` and `/sys`, read when somebody asks. @module */
import { parseCpuList, type Procfs } from "./procfs.ts";

/** One logical CPU's place. */
export interface CpuPlace {
  readonly id: number;
  readonly core_id: number;
  readonly die_id: number;
  readonly package_id: number;
  readonly core_siblings: readonly number[];
  readonly thread_siblings: readonly number[];
  readonly vendor: string;
  readonly model_name: string;
}

export interface CacheInfo {
  readonly level: number;
  readonly type: string;
  readonly size: string;
  readonly shared_cpus: readonly number[];
}

export interface NetworkInterface {
  readonly name: string;
  readonly driver: string;
  readonly carrier: boolean;
  readonly mtu: number;
  readonly speed_mbps: number | undefined;
  readonly rx_queues: number;
  readonly tx_queues: number;
}

export interface BlockDevice {
  readonly name: string;
  readonly size_bytes: number;
  readonly rotational: boolean;
  readonly scheduler: string;
}

/** What is known of a host. */
export interface SystemInfo {
  readonly hostname: string;
  readonly os: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly memory: { readonly total_bytes: number };
  readonly cpus: readonly CpuPlace[];
  readonly caches: readonly CacheInfo[];
  readonly numa_nodes: readonly { readonly id: number; readonly cpus: readonly number[] }[];
  readonly interfaces: readonly NetworkInterface[];
  readonly block_devices: readonly BlockDevice[];
}

/** Looks at the host; `undefined` when it has no `/proc`. */
export function systemInfo(procfs: Procfs, arch: string): SystemInfo | undefined {
  const kernel = procfs.text("/proc/sys/kernel/osrelease")?.trim();
  if (kernel === undefined) return undefined;
  const line = (path: string) => procfs.text(path)?.trim() ?? "";
  return {
    hostname: line("/proc/sys/kernel/hostname"),
    os: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(procfs.text("/etc/os-release") ?? "")?.[1] ?? "Linux",
    kernel,
    architecture: arch,
    memory: { total_bytes: 1024 * Number(/^MemTotal:\s+(\d+)/m.exec(line("/proc/meminfo"))?.[1] ?? 0) },
    cpus: cpus(procfs),
    caches: caches(procfs),
    numa_nodes: numbered(procfs, "/sys/devices/system/node", "node").map((id) => ({
      id,
      cpus: parseCpuList(line(`/sys/devices/system/node/node${id}/cpulist`)),
    })),
    interfaces: procfs.names("/sys/class/net").map((name) => networkInterface(procfs, name)),
    block_devices: procfs.names("/sys/block").map((name) => ({
      name,
      size_bytes: 512 * Number(line(`/sys/block/${name}/size`)),
      rotational: line(`/sys/block/${name}/queue/rotational`) === "1",
      scheduler: /\[([^\]]+)\]/.exec(line(`/sys/block/${name}/queue/scheduler`))?.[1] ?? "none",
    })),
  };
}

function numbered(procfs: Procfs, folder: string, prefix: string): number[] {
  const pattern = new RegExp(`^${prefix}(\\d+)$`);
  return procfs.names(folder).flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number).sort((a, b) =>
    a - b
  );
}

function cpus(procfs: Procfs): CpuPlace[] {
  const blocks = (procfs.text("/proc/cpuinfo") ?? "").split("\n\n");
  return numbered(procfs, "/sys/devices/system/cpu", "cpu").map((id) => {
    const block = blocks.find((each) => new RegExp(`^processor\\s*:\\s*${id}$`, "m").test(each)) ?? "";
    const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(block)?.[1] ?? "";
    const topology = (name: string) =>
      procfs.text(`/sys/devices/system/cpu/cpu${id}/topology/${name}`)?.trim() ?? "";
    return {
      id,
      core_id: Number(topology("core_id")),
      die_id: Number(topology("die_id")),
      package_id: Number(topology("physical_package_id")),
      core_siblings: parseCpuList(topology("core_siblings_list")),
      thread_siblings: parseCpuList(topology("thread_siblings_list")),
      vendor: field("vendor_id") || field("CPU implementer"),
      model_name: field("model name"),
    };
  });
}

/** Each cache once, although every CPU that shares it lists it. */
function caches(procfs: Procfs): CacheInfo[] {
  const found = new Map<string, CacheInfo>();
  for (const id of numbered(procfs, "/sys/devices/system/cpu", "cpu")) {
    const folder = `/sys/devices/system/cpu/cpu${id}/cache`;
    for (const index of numbered(procfs, folder, "index")) {
      const line = (name: string) => procfs.text(`${folder}/index${index}/${name}`)?.trim() ?? "";
      const shared = line("shared_cpu_list");
      found.set(`${line("level")} ${line("type")} ${shared}`, {
        level: Number(line("level")),
        type: line("type").toLowerCase(),
        size: line("size"),
        shared_cpus: parseCpuList(shared),
      });
    }
  }
  return [...found.values()];
}

function networkInterface(procfs: Procfs, name: string): NetworkInterface {
  const line = (path: string) => procfs.text(`/sys/class/net/${name}/${path}`)?.trim() ?? "";
  const speed = Number(line("speed"));
  const queues = procfs.names(`/sys/class/net/${name}/queues`);
  return {
    name,
    driver: /^DRIVER=(.*)$/m.exec(line("device/uevent"))?.[1] ?? "virtual",
    carrier: line("carrier") === "1",
    mtu: Number(line("mtu")),
    speed_mbps: speed > 0 ? speed : undefined,
    rx_queues: queues.filter((queue) => queue.startsWith("rx-")).length,
    tx_queues: queues.filter((queue) => queue.startsWith("tx-")).length,
  };
}
