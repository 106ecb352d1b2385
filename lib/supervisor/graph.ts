/** Order of services: dependencies first. Pure. @module */
import type { ServiceState } from "./machine.ts";

/** What must hold of another service. */
export interface Dependency {
  readonly name: string;
  readonly condition: Condition;
}

/** A line of the log is asked for by a pattern in `Dependency`'s own service; see `readiness`. */
export const CONDITIONS = ["started", "ready", "completed", "completed_successfully"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** A service's name with those that it needs. */
export interface Node {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/** Whether a state fulfils a condition. */
export function holds(condition: Condition, state: ServiceState): boolean {
  const { kind } = state;
  const isReady = kind === "running" || kind === "replacing";
  switch (condition) {
    case "started":
      return isReady || kind === "starting" || kind === "finished";
    case "ready":
      return isReady || (kind === "finished" && succeeded(state.outcome));
    case "completed":
      return kind === "finished";
    case "completed_successfully":
      return kind === "finished" && succeeded(state.outcome);
    default:
      return condition satisfies never;
  }
}

/** Whether a condition that does not hold will not do so by itself either: then nobody has to wait. */
export function isHopeless(condition: Condition, state: ServiceState): boolean {
  return state.kind === "finished" && !holds(condition, state);
}

function succeeded(outcome: { readonly kind: string; readonly code?: number }): boolean {
  return outcome.kind === "exited" && outcome.code === 0;
}

/**
 * Returns the names with every dependency before its dependants, otherwise in the order given.
 * @throws {RangeError} When a dependency is unknown or services depend on each other in a circle, naming them.
 */
export function startOrder(nodes: readonly Node[]): string[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const order: string[] = [];
  const done = new Set<string>();
  const visit = (node: Node, trail: readonly string[]): void => {
    if (done.has(node.name)) return;
    if (trail.includes(node.name)) {
      const circle = [...trail.slice(trail.indexOf(node.name)), node.name].join(" -> ");
      throw new RangeError(`Cannot order services: they depend on each other: ${circle}`);
    }
    for (const name of node.dependsOn) {
      const dependency = byName.get(name);
      if (dependency === undefined) {
        throw new RangeError(
          `Cannot order services: "${node.name}" depends on "${name}", which does not exist`,
        );
      }
      visit(dependency, [...trail, node.name]);
    }
    done.add(node.name);
    order.push(node.name);
  };
  for (const node of nodes) visit(node, []);
  return order;
}
