/** Reads derivations from the store, and those that they need, a few at a time. @module */
import { type Derivation, parseDerivation } from "../nix/mod.ts";

/** Files that are read at the same time; the runtime has 32 threads for all that waits. */
const AT_A_TIME = 8;
/** Derivations of one monitor; what comes after is not read. A large system has some 20,000. */
const MAX = 100_000;

/** Whatever cannot be read is left out: then the graph ends there. */
export class DerivationLoader {
  readonly #readFile: (path: string) => Promise<string>;
  /** Everything that was ever wanted. */
  readonly #wanted = new Set<string>();
  readonly #queue: string[] = [];
  #running = 0;
  #loaded: Derivation[] = [];
  #settled = Promise.withResolvers<void>();

  constructor(readFile: (path: string) => Promise<string>) {
    this.#readFile = readFile;
    this.#settled.resolve();
  }

  /** A derivation is to be read, with all that it needs; what was wanted before is not read again. */
  want(path: string): void {
    if (this.#wanted.has(path) || this.#wanted.size >= MAX) return;
    if (this.#running === 0 && this.#queue.length === 0) this.#settled = Promise.withResolvers();
    this.#wanted.add(path);
    this.#queue.push(path);
    this.#next();
  }

  /** These may be wanted again. */
  forget(paths: readonly string[]): void {
    for (const path of paths) this.#wanted.delete(path);
  }

  /** Those that were read since the last time. */
  take(): Derivation[] {
    const loaded = this.#loaded;
    this.#loaded = [];
    return loaded;
  }

  /** Resolves when nothing is left to be read. */
  settled(): Promise<void> {
    return this.#settled.promise;
  }

  #next(): void {
    while (this.#running < AT_A_TIME) {
      const path = this.#queue.pop();
      if (path === undefined) break;
      this.#running++;
      void this.#load(path);
    }
    if (this.#running === 0) this.#settled.resolve();
  }

  async #load(path: string): Promise<void> {
    try {
      const derivation = parseDerivation(path, await this.#readFile(path));
      this.#loaded.push(derivation);
      for (const input of derivation.inputs) this.want(input.path);
    } catch (error) {
      // It lies on another machine, was collected, or is no derivation: then the graph ends here.
      if (error instanceof Deno.errors.NotFound) this.#wanted.delete(path);
    }
    this.#running--;
    this.#next();
  }
}
