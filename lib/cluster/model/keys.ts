/** Where things are in the store. Below one prefix, so that several clusters may share an etcd. Pure. @module */

/** Of the layout; a newer one is refused. */
export const LAYOUT = 1;

/** Keys of a cluster. Ids have no slashes. */
export class Keys {
  readonly root: string;

  /** @param root Begins and ends with a slash. */
  constructor(root = "/hypervisor/") {
    this.root = root;
  }

  /** The number of the layout. */
  get layout(): string {
    return `${this.root}meta/layout`;
  }

  get clusterId(): string {
    return `${this.root}meta/cluster-id`;
  }

  get nodes(): string {
    return `${this.root}nodes/spec/`;
  }

  node(id: string): string {
    return this.nodes + id;
  }

  get lives(): string {
    return `${this.root}nodes/live/`;
  }

  /** With the agent's lease. */
  live(id: string): string {
    return this.lives + id;
  }

  get instances(): string {
    return `${this.root}inst/spec/`;
  }

  instance(id: string): string {
    return this.instances + id;
  }

  get statuses(): string {
    return `${this.root}inst/status/`;
  }

  status(id: string): string {
    return this.statuses + id;
  }

  /** What a node has to do is one prefix. */
  placedOn(node: string): string {
    return `${this.root}bynode/${node}/`;
  }

  placed(node: string, instance: string): string {
    return this.placedOn(node) + instance;
  }

  get allocations(): string {
    return `${this.root}alloc/`;
  }

  allocation(node: string): string {
    return this.allocations + node;
  }

  /** Whoever makes it first has the name. */
  name(project: string, name: string): string {
    return `${this.root}names/${project}/${name}`;
  }

  quota(project: string): string {
    return `${this.root}quota/${project}`;
  }

  /** What came of a request that a client may send again. */
  request(key: string): string {
    return `${this.root}idem/${key}`;
  }

  get operations(): string {
    return `${this.root}ops/`;
  }

  operation(id: string): string {
    return this.operations + id;
  }

  election(of: string): string {
    return `${this.root}leader/${of}`;
  }

  /** The id at the end of a key. */
  idOf(key: string): string {
    return key.slice(key.lastIndexOf("/") + 1);
  }
}
