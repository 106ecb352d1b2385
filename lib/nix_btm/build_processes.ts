/** Which processes are which build. Pure. @module */
import type { BuilderBuild } from "./processes/mod.ts";
import type { JobRow, World } from "./world.ts";

/**
 * The processes of builds that run, by the numbers of their jobs: by the derivation where Nix notes it, else by an
 * output, else by the name where one build alone has it and no outputs tell otherwise.
 */
export function processesOf({ builders, jobs, graph }: World): Map<number, BuilderBuild> {
  const found = new Map<number, BuilderBuild>();
  if (builders === undefined || builders.builds.length === 0) return found;
  const running: JobRow[] = [];
  for (const job of jobs.values()) {
    if (job.kind === "build" && job.state.kind === "running") running.push(job);
  }
  for (const build of builders.builds) {
    const job = jobOf(build, running, (path) => Object.values(graph.node(path)?.outputs ?? {}));
    if (job !== undefined) found.set(job.id, build);
  }
  return found;
}

function jobOf(
  { drvPath, outputs, name }: BuilderBuild,
  running: readonly JobRow[],
  outputsOf: (derivation: string) => readonly string[],
): JobRow | undefined {
  if (drvPath !== undefined) {
    const byPath = running.find(({ subject }) => subject === drvPath);
    if (byPath !== undefined) return byPath;
  }
  const named = running.filter((job) => job.name === name);
  const paths = new Set(Object.values(outputs));
  const byOutput = named.find(({ subject }) => outputsOf(subject).some((path) => paths.has(path)));
  if (byOutput !== undefined) return byOutput;
  // One of the same name that has other outputs is another one, of a Nix whose log nobody gets: who steers by the job
  // would stop that.
  const byName = named.filter(({ subject }) => paths.size === 0 || outputsOf(subject).length === 0);
  return byName.length === 1 ? byName[0] : undefined;
}
