/** How long tasks wait, run and sleep. @module */
import { buckets, largest, percentiles, type SectionDef } from "./chart_def.ts";

export const SCHEDULER: SectionDef = {
  id: "scheduler",
  title: "Scheduler",
  groups: [
    {
      title: "Run queue",
      charts: [
        percentiles({
          id: "latency",
          title: "Run queue latency",
          unit: "ns",
          help: "How long runnable tasks waited for a CPU.",
        }, "scheduler_runqueue_latency"),
        buckets({
          id: "latency_heat",
          title: "Run queue latency, all",
          unit: "ns",
          help: "Every wait for a CPU, by its length.",
        }, "scheduler_runqueue_latency"),
        {
          id: "wait_cores",
          title: "Waiting by core",
          unit: "cores",
          help: "Tasks that waited for each CPU, on average.",
          queries: [{ query: "sum by (id) ($rate(scheduler_runqueue_wait)) / 1e9" }],
        },
        {
          id: "wait_cgroups",
          title: "Waiting by control group",
          unit: "cores",
          help: "The ten control groups whose tasks waited longest.",
          order: "largest",
          queries: [{
            query: largest(10, "name", 'cgroup_scheduler_runqueue_wait{name!=""}', " / 1e9"),
            name: "{{name}}",
          }],
        },
      ],
    },
    {
      title: "Running and sleeping",
      charts: [
        percentiles({
          id: "running",
          title: "Time slices",
          unit: "ns",
          help: "How long tasks ran before they gave up their CPU or lost it.",
        }, "scheduler_running"),
        buckets({
          id: "running_heat",
          title: "Time slices, all",
          unit: "ns",
          help: "Every time slice, by its length.",
        }, "scheduler_running"),
        percentiles({
          id: "offcpu",
          title: "Off CPU",
          unit: "ns",
          help: "How long tasks were off any CPU, by their own will or not.",
        }, "scheduler_offcpu"),
        buckets({
          id: "offcpu_heat",
          title: "Off CPU, all",
          unit: "ns",
          help: "Every time off CPU, by its length.",
        }, "scheduler_offcpu"),
      ],
    },
    {
      title: "Context switches",
      charts: [
        {
          id: "switches",
          title: "Context switches",
          unit: "per second",
          help: "Voluntary: the task had to wait. Involuntary: its time was up.",
          queries: [{ query: "sum by (kind) ($rate(scheduler_context_switch))", name: "{{kind}}" }],
        },
        {
          id: "voluntary_cores",
          title: "Voluntary by core",
          unit: "per second",
          help: "Switches because the task had to wait for something.",
          queries: [{ query: 'sum by (id) ($rate(scheduler_context_switch{kind="voluntary"}))' }],
        },
        {
          id: "involuntary_cores",
          title: "Involuntary by core",
          unit: "per second",
          help: "Switches because the task's time was up.",
          queries: [{ query: 'sum by (id) ($rate(scheduler_context_switch{kind="involuntary"}))' }],
        },
        {
          id: "switch_cgroups",
          title: "Switches by control group",
          unit: "per second",
          help: "The ten control groups with the most context switches.",
          order: "largest",
          queries: [{
            query: largest(10, "name", 'cgroup_scheduler_context_switch{name!=""}'),
            name: "{{name}}",
          }],
        },
      ],
    },
  ],
};
