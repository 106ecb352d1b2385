/** Order of services: dependencies first. Pure. @module */

/** A service's name with those that must be ready before it. */
export interface Node {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/**
 * Returns the names with every dependency before its dependants, otherwise in the order given.
 * @throws {RangeError} When a dependency is unknown or services depend on each other in a circle, naming them.
 */
export function startOrder(nodes: readonly Node[]): string[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const order: string[] = [];
  const visit = (node: Node, trail: readonly string[]): void => {
    if (order.includes(node.name)) return;
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
    order.push(node.name);
  };
  for (const node of nodes) visit(node, []);
  return order;
}
