/** Order of services: dependencies first. Pure. @module */
import type { ServiceState } from "./machine.ts";
import type { Spoken } from "./spoken.ts";

/** What must hold of another service. */
export type Dependency =
  | { readonly name: string; readonly condition: Exclude<Condition, "log"> }
  /** A line of its output matches; it may have been said before. */
  | {
    readonly name: string;
    readonly condition: "log";
    readonly pattern: RegExp;
    /** The pattern as it was written, when that was another language. */
    readonly written?: string;
  };

export const CONDITIONS = ["started", "ready", "completed", "completed_successfully", "log"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** What is known of a service that others depend on. */
export interface Observed {
  readonly state: ServiceState;
  readonly spoken: Pick<Spoken, "has">;
}

/** A service's name with those that it needs. */
export interface Node {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/** Whether a dependency holds of the service that it is on. */
export function holds(dependency: Dependency, { state, spoken }: Observed): boolean {
  const { kind } = state;
  const isReady = kind === "running" || kind === "replacing";
  switch (dependency.condition) {
    case "started":
      return isReady || kind === "starting" || kind === "finished";
    case "ready":
      return isReady || (kind === "finished" && succeeded(state.outcome));
    case "completed":
      return kind === "finished";
    case "completed_successfully":
      return kind === "finished" && succeeded(state.outcome);
    case "log":
      return spoken.has(dependency.pattern);
    default:
      return dependency satisfies never;
  }
}

/** Whether a dependency that does not hold will not do so by itself either: then nobody has to wait. */
export function isHopeless(dependency: Dependency, other: Observed): boolean {
  return other.state.kind === "finished" && !holds(dependency, other);
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

/** Names, in `order`, of all that depend on a service, directly or not. */
export function dependantsOf(
  name: string,
  order: readonly string[],
  services: ReadonlyMap<string, { readonly spec: { readonly dependsOn?: readonly Dependency[] } }>,
): string[] {
  const found = new Set([name]);
  for (const each of order) {
    if (services.get(each)?.spec.dependsOn?.some((dependency) => found.has(dependency.name)) === true) {
      found.add(each);
    }
  }
  return [...found].slice(1);
}
