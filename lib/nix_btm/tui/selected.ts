/** The build that is selected or looked at: as a job, and as processes. Pure. @module */
import type { BuilderBuild } from "../processes/mod.ts";
import { builderRows, tableRows } from "./builder_rows.ts";
import { type CommandRow, eagleRows, jobAt } from "./eagle_rows.ts";
import { usages } from "./facts.ts";
import { jobRows } from "./job_rows.ts";
import { type Model, worldOf } from "./model.ts";

/** By its number. */
export function selectedJob(model: Model): number | undefined {
  switch (model.tab) {
    case "jobs":
      return jobRows(model)[model.lists.jobs.selected]?.id;
    case "eagle":
      return jobAt(eagleRows(model)[model.lists.eagle.selected])?.id;
    case "build":
      return model.job !== undefined && worldOf(model).jobs.has(model.job) ? model.job : undefined;
    case "builders": {
      const build = builderAt(model);
      return build === undefined
        ? undefined
        : usages(model).entries().find(([, { id }]) => id === build.id)?.[0];
    }
    case "history":
    case "hosts":
      return undefined;
    default:
      return model.tab satisfies never;
  }
}

/** A command, of which a row of the Eagle Eye is one. */
export function selectedCommand(model: Model): CommandRow | undefined {
  const row = model.tab === "eagle" ? eagleRows(model)[model.lists.eagle.selected] : undefined;
  return row?.kind === "command" ? row : undefined;
}

/** The processes of what is selected, if it has some on this host. */
export function buildAt(model: Model): BuilderBuild | undefined {
  if (model.tab === "builders") return builderAt(model);
  const job = selectedJob(model);
  return job === undefined ? undefined : usages(model).get(job);
}

function builderAt(model: Model): BuilderBuild | undefined {
  const builds = worldOf(model).builders?.builds ?? [];
  if (model.side === "table") {
    const process = tableRows(model)[model.table.selected];
    return process && builds.find(({ processes }) => processes.some(({ pid }) => pid === process.pid));
  }
  const rows = builderRows(model);
  for (let at = model.lists.builders.selected; at >= 0; at--) {
    const row = rows[at];
    if (row?.kind === "build") return row.build;
    if (row === undefined || row.kind === "user") return undefined;
  }
  return undefined;
}
