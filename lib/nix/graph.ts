/** What needs what: derivations by their store paths. Pure. @module */

/** A derivation with what is known of it. */
export interface Node {
  readonly path: string;
  /** Derivations that it needs; as far as logs tell, until its file was read. */
  readonly inputs: readonly string[];
  /** Paths by the names of its outputs; empty where they depend on the content, or nobody knows. */
  readonly outputs: Readonly<Record<string, string>>;
  /** `x86_64-linux`; empty while its file was not read. */
  readonly system: string;
}

const NOBODY: readonly string[] = [];

/** Grows as files are read and logs tell; all that it says is of derivations that it was told of. */
export class Graph {
  readonly #nodes = new Map<string, Node>();
  readonly #dependants = new Map<string, Set<string>>();
  #version = 0;
  readonly #byOutput = new Map<string, string>();

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#nodes.size;
  }

  nodes(): Iterable<Node> {
    return this.#nodes.values();
  }

  node(path: string): Node | undefined {
    return this.#nodes.get(path);
  }

  inputs(path: string): readonly string[] {
    return this.#nodes.get(path)?.inputs ?? [];
  }

  /** The derivation that makes a path, as far as it is known. */
  derivationOf(output: string): string | undefined {
    return this.#byOutput.get(output);
  }

  /** Derivations that need this one, as far as they are known. */
  dependants(path: string): readonly string[] {
    return [...this.#dependants.get(path) ?? []];
  }

  /** The same to walk through, while nothing changes: nothing is copied. */
  eachDependant(path: string): Iterable<string> {
    return this.#dependants.get(path) ?? NOBODY;
  }

  /** What a file says: it is the last word. */
  add(node: Node): void {
    this.#version++;
    for (const input of this.inputs(node.path)) this.#dependants.get(input)?.delete(node.path);
    this.#nodes.set(node.path, node);
    for (const output of Object.values(node.outputs)) {
      if (output !== "") this.#byOutput.set(output, node.path);
    }
    for (const input of node.inputs) this.#dependantsOf(input).add(node.path);
  }

  /** What a log says of a derivation whose file nobody has read; returns whether that is new. */
  addEdge(path: string, input: string): boolean {
    const node = this.#nodes.get(path) ?? { path, inputs: [], outputs: {}, system: "" };
    if (node.system !== "" || node.inputs.includes(input)) return false;
    this.add({ ...node, inputs: [...node.inputs, input] });
    return true;
  }

  /** Forgets all but what `keep` says. */
  retain(keep: (path: string) => boolean): void {
    this.#version++;
    for (const path of [...this.#nodes.keys()]) {
      if (keep(path)) continue;
      for (const input of this.inputs(path)) this.#dependants.get(input)?.delete(path);
      for (const output of Object.values(this.#nodes.get(path)?.outputs ?? {})) this.#byOutput.delete(output);
      this.#nodes.delete(path);
      this.#dependants.delete(path);
    }
  }

  /** These derivations and all that they need. */
  closure(paths: Iterable<string>): Set<string> {
    const found = new Set(paths);
    const open = [...found];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      for (const input of this.inputs(path)) {
        if (found.has(input)) continue;
        found.add(input);
        open.push(input);
      }
    }
    return found;
  }

  /** Of these derivations those that none of them needs, in their order. */
  roots(paths: Iterable<string>): string[] {
    const all = new Set(paths);
    return [...all].filter((path) => {
      for (const each of this.eachDependant(path)) if (all.has(each)) return false;
      return true;
    });
  }

  /**
   * Of these derivations each one after all that it needs, through whatever lies between them.
   * A circle cannot be, and is cut where it is met.
   */
  order(paths: Iterable<string>): string[] {
    const wanted = new Set(paths);
    const done = new Set<string>();
    const order: string[] = [];
    for (const root of wanted) this.#visit(root, { wanted, done, order });
    return order;
  }

  /** Without recursion: closures are thousands deep. */
  #visit(
    root: string,
    { wanted, done, order }: {
      readonly wanted: Set<string>;
      readonly done: Set<string>;
      readonly order: string[];
    },
  ): void {
    if (done.has(root)) return;
    done.add(root);
    const stack: { readonly path: string; readonly inputs: readonly string[]; at: number }[] = [
      { path: root, inputs: this.inputs(root), at: 0 },
    ];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.inputs[top.at++];
      if (input === undefined) {
        if (wanted.has(top.path)) order.push(top.path);
        stack.pop();
      } else if (!done.has(input)) {
        done.add(input);
        stack.push({ path: input, inputs: this.inputs(input), at: 0 });
      }
    }
  }

  #dependantsOf(path: string): Set<string> {
    let found = this.#dependants.get(path);
    if (found === undefined) this.#dependants.set(path, found = new Set());
    return found;
  }
}
