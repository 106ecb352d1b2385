/** What Nix builds, as nix-btm tells the agent. @module */
import type { SectionDef } from "./chart_def.ts";

/** A rate of a build's counter that ends with the build, not with the window of the rate. */
function running(metric: string): string {
  return `($rate(${metric}) and present_over_time(${metric}[$fresh]))`;
}

/** The ten builds with the most of it in what is shown. */
function byBuild(value: string, most: string): string {
  return `sum by (derivation) (${value}) and on (derivation) topk(10, sum by (derivation) (${most}))`;
}

function rateByBuild(metric: string, factor = ""): string {
  return byBuild(`${running(metric)}${factor}`, `rate(${metric}[$range] @ end())`);
}

const MEMORY = byBuild(
  "max_over_time(nix_build_memory[$fresh])",
  "max_over_time(nix_build_memory[$range] @ end())",
);

export const BUILDS: SectionDef = {
  id: "builds",
  title: "Builds",
  needs: /^nix_(btm|build)_/,
  groups: [
    {
      title: "What builds use",
      charts: [
        {
          id: "cpu",
          title: "CPU by build",
          unit: "cores",
          help: "The ten builds with the most CPU time in what is shown, while they run.",
          order: "largest",
          queries: [{ query: rateByBuild("nix_build_cpu_usage", " / 1e9"), name: "{{derivation}}" }],
        },
        {
          id: "memory",
          title: "Memory by build",
          unit: "bytes",
          help:
            "The ten builds with the most memory, files that the kernel keeps for them included where they have a cgroup.",
          order: "largest",
          queries: [{ query: MEMORY, name: "{{derivation}}" }],
        },
        {
          id: "io",
          title: "Storage by build",
          unit: "bytes/s",
          help: "The ten builds that moved the most bytes from and to storage.",
          order: "largest",
          queries: [{ query: rateByBuild("nix_build_io_bytes"), name: "{{derivation}}" }],
        },
        {
          id: "users",
          title: "CPU by user",
          unit: "cores",
          help: "CPU time of all running builds, by who asked for them.",
          queries: [{ query: `sum by (user) ${running("nix_build_cpu_usage")} / 1e9`, name: "{{user}}" }],
        },
      ],
    },
    {
      title: "Work",
      charts: [
        {
          id: "jobs",
          title: "Builds",
          unit: "count",
          help: "Builds that run, builds that are planned or wait, and commands of Nix under way.",
          queries: [
            { query: "sum(nix_btm_builds_running)", name: "running" },
            { query: "sum(nix_btm_builds_waiting)", name: "waiting" },
            { query: "sum(nix_btm_commands)", name: "commands" },
          ],
        },
        {
          id: "ended",
          title: "Builds that ended",
          unit: "per second",
          help: "Builds that are over, by how they ended.",
          queries: [{ query: "sum by (outcome) ($rate(nix_btm_builds_ended))", name: "{{outcome}}" }],
        },
        {
          id: "caches",
          title: "From caches",
          unit: "bytes/s",
          help: "Bytes that caches and other stores gave, told when a path is there.",
          queries: [{ query: "sum by (cache) ($rate(nix_btm_cache_bytes))", name: "{{cache}}" }],
        },
        {
          id: "logs",
          title: "Logs",
          unit: "bytes/s",
          help: "What Nix wrote to its monitor.",
          queries: [{ query: "sum($rate(nix_btm_log_bytes))", name: "all" }],
        },
      ],
    },
  ],
};
