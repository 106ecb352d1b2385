/**
 * Builder processes of this host. `BuilderWatch.scan()` returns a `BuilderSnapshot`: users, their builds and the processes
 * of each, with what they use; `withAgentUsage()` puts the telemetry agent's finer count into it; `BuilderSteering` pauses,
 * resumes and kills builds, `mayInterfere()` says why not.
 *
 * Builds are found by the user that they run as, by their cgroup, by what Nix notes in `active-builds`, by
 * `NIX_BUILD_TOP`, and by their folder below a process of Nix; what descends from them belongs to them. What is known of
 * the derivation is its name, nearly always, its outputs where the builder's environment may be read, and its path where
 * Nix tells: join with a reducer's builds by `drvPath`, else by an output, else by `name` and `nixPid`.
 *
 * Reading order: `stat.ts`, `evidence.ts`, `builder_users.ts`, `active_builds.ts` (what is read), `assemble.ts` (which of it
 * are builds), `gain.ts` and `sampling.ts` (what they use), `cgroup_files.ts`, `snapshot.ts` (what is told), `watch.ts`,
 * `agent.ts`, `steering.ts`. Derivations, logs and how it looks belong to others.
 * @module
 */
export { withAgentUsage } from "./agent.ts";
export { assembleBuilders, type AssembledBuild } from "./assemble.ts";
export type { BuilderBuild, BuilderProcess, BuilderSnapshot, BuilderUser } from "./snapshot.ts";
export { BuilderSteering, mayInterfere, type Steer } from "./steering.ts";
export { BuilderWatch } from "./watch.ts";
