/** What waits for what, as a tree. Pure. @module */

/** One arrow: `from` waits for `to`. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly condition: string;
  /** Whether the condition holds. */
  readonly holds: string;
}

/** A process of the graph. */
export interface GraphNode {
  readonly name: string;
  readonly state: string;
}

/**
 * Lines of a tree: first those that nobody waits for, below each what it waits for. What stands there already with
 * others below it is named only.
 */
export function graphText(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): string[] {
  const waitedFor = new Set(edges.map(({ to }) => to));
  const states = new Map(nodes.map(({ name, state }) => [name, state]));
  const told = new Set<string>();
  const lines: string[] = [];
  const below = (name: string, indent: string) => {
    const needs = edges.filter(({ from }) => from === name);
    if (told.has(name)) {
      if (needs.length > 0) lines.push(`${indent}└─ (as above)`);
      return;
    }
    told.add(name);
    for (const [at, { to, condition, holds }] of needs.entries()) {
      const isLast = at === needs.length - 1;
      const mark = holds === "yes" ? "✔" : "…";
      lines.push(
        `${indent}${isLast ? "└─" : "├─"} ${to}  ${states.get(to) ?? "unknown"}  ${mark} ${condition}`,
      );
      below(to, `${indent}${isLast ? "   " : "│  "}`);
    }
  };
  for (const { name, state } of nodes) {
    if (waitedFor.has(name)) continue;
    lines.push(`${name}  ${state}`);
    below(name, "");
  }
  return lines;
}
