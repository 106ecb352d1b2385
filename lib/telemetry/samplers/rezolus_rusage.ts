/** What the agent itself uses; source `getrusage(2)`. @module */
import { usage } from "../../../ffi/sys/mod.ts";
import { counter, gauge, type Metric } from "../../metrics/mod.ts";
import { Columns } from "../columns.ts";
import type { Sampler } from "../sampler.ts";

const NS = "nanoseconds";
const CPU_HELP = "CPU time of the agent in user or system mode";
const USER = counter("rezolus_cpu_usage", {
  unit: NS,
  help: CPU_HELP,
  labels: { state: "user" },
});
const SYSTEM = counter("rezolus_cpu_usage", {
  unit: NS,
  help: CPU_HELP,
  labels: { state: "system" },
});
const RECLAIMS = counter("rezolus_memory_page_reclaims", {
  help: "Page faults of the agent that needed no I/O",
});
const FAULTS = counter("rezolus_memory_page_faults", { help: "Page faults of the agent that needed I/O" });
const READS = operations("read");
const WRITES = operations("write");
const VOLUNTARY = switches("voluntary");
const INVOLUNTARY = switches("involuntary");
const RESIDENT = gauge("rezolus_memory_usage_resident_set_size", {
  unit: "bytes",
  help: "Largest resident set of the agent so far",
});

function operations(op: "read" | "write"): Metric {
  return counter("rezolus_blockio_operations", {
    unit: "operations",
    help: "Times that the file system had to read or write for the agent",
    labels: { op },
  });
}

function switches(kind: "voluntary" | "involuntary"): Metric {
  return counter("rezolus_context_switch", {
    help: "Context switches of the agent, by whether it gave the CPU away itself",
    labels: { kind },
  });
}

const METRICS = [USER, SYSTEM, RECLAIMS, FAULTS, READS, WRITES, VOLUNTARY, INVOLUNTARY, RESIDENT];

export const rezolusRusage: Sampler = {
  name: "rezolus_rusage",
  summary: "What the agent itself uses.",
  metrics: METRICS,
  open() {
    const columns = Columns.of("rezolus_rusage", "self", METRICS.map((metric) => ({ metric })));
    return {
      sample() {
        const used = usage("self");
        [
          used.userNs,
          used.systemNs,
          used.minorFaults,
          used.majorFaults,
          used.blocksRead,
          used.blocksWritten,
          used.voluntarySwitches,
          used.involuntarySwitches,
        ].forEach((value, index) => columns.setCounter(index, BigInt(value)));
        columns.setGauge(0, BigInt(used.maxRssBytes));
        return [columns.toGroup()];
      },
      [Symbol.dispose]() {},
    };
  },
};
