/** What the telemetry agent of this host has counted of builds, put into a snapshot. Pure. @module */
import { countedRatio, type CountedUsage } from "../../agent_client/mod.ts";
import type { BuilderBuild, BuilderSnapshot } from "./snapshot.ts";

/** What is looked at of it. */
type BuildUsage = Pick<CountedUsage, "elapsedNs" | "byProcess" | "byCgroup" | "waitedByCgroup">;

/**
 * The snapshot with the agent's CPU, which it counts to the nanosecond. Of a cgroup it has all that ever ran in it; of
 * processes it has those that are there, so that it is believed only when none has ended. Ask `isOfThisHost` before.
 */
export function withAgentUsage(snapshot: BuilderSnapshot, counted: BuildUsage): BuilderSnapshot {
  const builds = new Map(snapshot.builds.map((build) => [build.id, withCounted(build, counted)]));
  return {
    atMs: snapshot.atMs,
    builds: [...builds.values()],
    users: snapshot.users.map((user) => ({ ...user, builds: user.builds.map(({ id }) => builds.get(id)!) })),
  };
}

function withCounted(build: BuilderBuild, counted: BuildUsage): BuilderBuild {
  const { cgroup, usage, processes } = build;
  const group = cgroup === undefined ? [] : [cgroup.path];
  const cpuRatio = countedRatio(counted, "byCgroup", group) ??
    (usage.hasEnded ? undefined : countedRatio(counted, "byProcess", processes.map(({ pid }) => pid)));
  const waitRatio = countedRatio(counted, "waitedByCgroup", group);
  return {
    ...build,
    usage: { ...usage, ...(cpuRatio === undefined ? {} : { cpuRatio, source: "agent" as const }), waitRatio },
    processes: processes.map((process) => ({
      ...process,
      cpuRatio: countedRatio(counted, "byProcess", [process.pid]) ?? process.cpuRatio,
    })),
  };
}
