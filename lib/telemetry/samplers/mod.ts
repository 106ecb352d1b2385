/** Every sampler. A test compares this list with the folder. @module */
import type { Sampler } from "../sampler.ts";
import { blockioLatency } from "./blockio_latency.ts";
import { blockioRequests } from "./blockio_requests.ts";
import { cpuCores } from "./cpu_cores.ts";
import { cpuMigrations } from "./cpu_migrations.ts";
import { cpuUsage } from "./cpu_usage.ts";
import { memoryMeminfo } from "./memory_meminfo.ts";
import { memoryVmstat } from "./memory_vmstat.ts";
import { networkTraffic } from "./network_traffic.ts";
import { pressure } from "./pressure.ts";
import { rezolusBpf } from "./rezolus_bpf.ts";
import { rezolusRusage } from "./rezolus_rusage.ts";
import { schedulerRunqueue } from "./scheduler_runqueue.ts";
import { syscallCounts } from "./syscall_counts.ts";
import { syscallLatency } from "./syscall_latency.ts";
import { tcpConnectLatency } from "./tcp_connect_latency.ts";
import { tcpPacketLatency } from "./tcp_packet_latency.ts";
import { tcpTraffic } from "./tcp_traffic.ts";

export const SAMPLERS: readonly Sampler[] = [
  blockioLatency,
  blockioRequests,
  cpuCores,
  cpuMigrations,
  cpuUsage,
  memoryMeminfo,
  memoryVmstat,
  networkTraffic,
  pressure,
  rezolusBpf,
  rezolusRusage,
  schedulerRunqueue,
  syscallCounts,
  syscallLatency,
  tcpConnectLatency,
  tcpPacketLatency,
  tcpTraffic,
];
