/** Tasks that moved from one CPU to another; source `sched_switch`. @module */
import { counter } from "../../metrics/mod.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { SCHED, SCHED_CGROUP, SCHED_CPU } from "../bpf/sched.ts";

const HELP = "Tasks that left the CPU for another, or came to it";
const FROM = counter("cpu_migrations", { help: HELP, labels: { direction: "from" } });
const TO = counter("cpu_migrations", { help: HELP, labels: { direction: "to" } });
const CGROUP = counter("cgroup_cpu_migrations", { help: "Moves of the cgroup's tasks to another CPU" });

export const cpuMigrations = bpfSampler({
  name: "cpu_migrations",
  summary: "Tasks that moved from one CPU to another, by CPU and cgroup.",
  spec: SCHED,
  cpuSize: SCHED_CPU.size,
  cgroupSize: SCHED_CGROUP.size,
  cpu: [[FROM, SCHED_CPU.index.migrations_from], [TO, SCHED_CPU.index.migrations_to]],
  cgroup: [[CGROUP, SCHED_CGROUP.index.migrations]],
});
