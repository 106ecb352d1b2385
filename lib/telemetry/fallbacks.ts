/**
 * What the kernel's files tell where its events are closed: without privileges or BTF. Coarser than the programs (ticks
 * of 10 ms, the own network namespace), but what there is; `/status` says so.
 * @module
 */
import { systemConfig } from "../../ffi/sys/mod.ts";
import type { Metric } from "../metrics/mod.ts";
import type { GroupReader } from "./bpf/readers.ts";
import { Columns } from "./columns.ts";
import type { Procfs } from "./procfs.ts";

const NS_PER_S = 1_000_000_000n;

/** User (with nice) and system time by CPU, from `/proc/stat`; `undefined` where it cannot be read. */
export function procStatReader(
  sampler: string,
  { user, system }: { user: Metric; system: Metric },
  procfs: Procfs,
): GroupReader | undefined {
  if (procfs.text("/proc/stat") === undefined) return undefined;
  const tickNs = NS_PER_S / BigInt(systemConfig("clockTicksPerSecond"));
  let ids: string[] = [];
  let columns = Columns.of(sampler, "cpu", []);
  return {
    read() {
      const rows = parseProcStat(procfs.text("/proc/stat") ?? "");
      if (rows.map(({ id }) => id).join() !== ids.join()) {
        ids = rows.map(({ id }) => id);
        const members = [user, system].flatMap((metric) => ids.map((id) => ({ metric, labels: { id } })));
        columns = Columns.of(sampler, "cpu", members);
      }
      rows.forEach(({ userTicks, systemTicks }, at) => {
        columns.setCounter(at, userTicks * tickNs);
        columns.setCounter(rows.length + at, systemTicks * tickNs);
      });
      return columns.toGroup();
    },
  };
}

/** One CPU's times in clock ticks. */
export function parseProcStat(text: string): { id: string; userTicks: bigint; systemTicks: bigint }[] {
  return [...text.matchAll(/^cpu(\d+) (\d+) (\d+) (\d+)/gm)].map(([, id, user, nice, system]) => ({
    id: id!,
    userTicks: BigInt(user!) + BigInt(nice!),
    systemTicks: BigInt(system!),
  }));
}

/** Bytes and packets of this network namespace's interfaces, from `/proc/net/dev`; in the order of `metrics`. */
export function netDevReader(
  sampler: string,
  metrics: Readonly<Record<keyof NetDev, Metric>>,
  procfs: Procfs,
): GroupReader | undefined {
  if (procfs.text("/proc/net/dev") === undefined) return undefined;
  const keys = Object.keys(metrics) as (keyof NetDev)[];
  const columns = Columns.of(sampler, "host", keys.map((key) => ({ metric: metrics[key] })));
  return {
    read() {
      const sums = parseNetDev(procfs.text("/proc/net/dev") ?? "");
      keys.forEach((key, at) => columns.setCounter(at, sums[key]));
      return columns.toGroup();
    },
  };
}

/** Sums over all interfaces. */
export interface NetDev {
  readonly receiveBytes: bigint;
  readonly receivePackets: bigint;
  readonly transmitBytes: bigint;
  readonly transmitPackets: bigint;
}

/** Sums of `/proc/net/dev`: eight fields of receiving, then eight of transmitting, bytes and packets first. */
export function parseNetDev(text: string): NetDev {
  const rows = [...text.matchAll(/^\s*\S+:\s*([\d ]+)$/gm)].map(([, fields]) =>
    fields!.trim().split(/\s+/).map(BigInt)
  );
  const sum = (field: number) => rows.reduce((total, row) => total + (row[field] ?? 0n), 0n);
  return { receiveBytes: sum(0), receivePackets: sum(1), transmitBytes: sum(8), transmitPackets: sum(9) };
}
