/** Rows of the Builders: users with their builds at the left, processes at the right. Pure. @module */
import type { BuilderBuild, BuilderProcess, BuilderUser } from "../processes/mod.ts";
import { type Model, type ProcessName, type ProcessSort, worldOf } from "./model.ts";
import { remember } from "./remember.ts";

/** A row of the tree. */
export type BuilderRow =
  | { readonly kind: "user"; readonly key: string; readonly user: BuilderUser; readonly isOpen: boolean }
  | { readonly kind: "build"; readonly key: string; readonly build: BuilderBuild; readonly isOpen: boolean }
  | {
    readonly kind: "process";
    readonly key: string;
    readonly process: BuilderProcess;
    readonly isLast: boolean;
  };

/** Names a process among all. */
export function processKey({ pid, startTicks }: ProcessName): string {
  return `process ${pid} ${startTicks}`;
}

export function builderRows(model: Model): readonly BuilderRow[] {
  const { folds, folding } = model;
  return remember("builders", [worldOf(model).builders, folds, folding], () => {
    const users = worldOf(model).builders?.users ?? [];
    const busy = users.filter(({ builds }) => builds.length > 0);
    // Those that wait are many, and tell nothing.
    const idle = users.filter(({ builds }) => builds.length === 0);
    return [...busy, ...idle].flatMap((user): BuilderRow[] => {
      const key = `user ${user.uid}`;
      const isOpen = folds.get(key) ?? folding !== "closed";
      const head: BuilderRow = { kind: "user", key, user, isOpen };
      return isOpen ? [head, ...user.builds.flatMap((build) => buildRows(build, model))] : [head];
    });
  });
}

/** Processes of a build are in the table already: they are unfolded when somebody wants them. */
function buildRows(build: BuilderBuild, { folds, folding }: Model): BuilderRow[] {
  const key = `build ${build.id}`;
  const isOpen = folds.get(key) ?? folding === "open";
  const head: BuilderRow = { kind: "build", key, build, isOpen };
  if (!isOpen) return [head];
  return [
    head,
    ...build.processes.map((process, at): BuilderRow => ({
      kind: "process",
      key: processKey(process),
      process,
      isLast: at === build.processes.length - 1,
    })),
  ];
}

/** Processes of the selected user, build or process: the table at the right. */
export function tableRows(model: Model): readonly BuilderProcess[] {
  const row = builderRows(model)[model.lists.builders.selected];
  return remember("table", [row, model.processSort], () => {
    if (row === undefined) return [];
    switch (row.kind) {
      case "user":
        return sorted(row.user.builds.flatMap(({ processes }) => processes), model.processSort);
      case "build":
        return sorted(row.build.processes, model.processSort);
      case "process":
        return [row.process];
      default:
        return row satisfies never;
    }
  });
}

/** Those of which the same is true keep their order. */
function sorted(processes: readonly BuilderProcess[], by: ProcessSort): readonly BuilderProcess[] {
  switch (by) {
    case "tree":
      return processes;
    case "cpu":
      return processes.toSorted((one, other) => (other.cpuRatio ?? 0) - (one.cpuRatio ?? 0));
    case "memory":
      return processes.toSorted((one, other) => other.residentBytes - one.residentBytes);
    case "time":
      return processes.toSorted((one, other) => one.startedMs - other.startedMs);
    default:
      return by satisfies never;
  }
}
