/** Number of CPUs online; source `/sys/devices/system/cpu/online`. @module */
import { gauge } from "../../metrics/mod.ts";
import { parseCpuList } from "../procfs.ts";
import { procSampler } from "../proc_sampler.ts";

export const cpuCores = procSampler({
  name: "cpu_cores",
  summary: "Number of CPUs online.",
  path: "/sys/devices/system/cpu/online",
  metrics: [gauge("cpu_cores", { unit: "cores", help: "Logical CPUs that are online" })],
  parse: (text) => [BigInt(parseCpuList(text).length)],
});
