/** Ports that processes listen on by themselves: chosen once and kept, or the ones they asked for. @module */
import { holderText, portHolder } from "../swap/mod.ts";

const FILE = "ports.json";
/** Of a free one. */
const TRIES = 32;

export class Ports {
  readonly #path: string;
  readonly #chosen: Map<string, number>;

  /** @param folder Where what was chosen is kept for the next manager. */
  constructor(folder: string) {
    this.#path = `${folder}/${FILE}`;
    this.#chosen = new Map(Object.entries(readChosen(this.#path)));
  }

  /**
   * The port for a start of a process; `wanted` 0 chooses one, the same as before where that is free.
   * @throws {Error} When the wanted one is taken, naming who has it.
   */
  claim(name: string, wanted: number): number {
    if (wanted !== 0) {
      const holders = isFree(wanted) ? [] : portHolder(wanted).map(holderText);
      if (holders.length > 0) {
        throw new Error(`Cannot give port ${wanted} to "${name}": it is ${holders.join("; ")}`);
      }
      return wanted;
    }
    const before = this.#chosen.get(name);
    if (before !== undefined && isFree(before)) return before;
    const port = this.#choose();
    this.#chosen.set(name, port);
    Deno.writeTextFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(this.#chosen)));
    Deno.renameSync(`${this.#path}.new`, this.#path);
    return port;
  }

  /** What was chosen for a process. */
  chosen(name: string): number | undefined {
    return this.#chosen.get(name);
  }

  #choose(): number {
    const taken = new Set(this.#chosen.values());
    for (let tries = 0; tries < TRIES; tries++) {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      listener.close();
      if (!taken.has(listener.addr.port)) return listener.addr.port;
    }
    throw new Error("Cannot choose a port: all that the kernel offers are promised to others");
  }
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "0.0.0.0", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

function isPort(number: number): boolean {
  return number > 0 && number < 65_536;
}

/** A file that cannot be understood is begun anew: the ports in it are of no other use. */
function readChosen(path: string): Record<string, number> {
  try {
    const value = JSON.parse(Deno.readTextFileSync(path));
    const isMap = typeof value === "object" && value !== null &&
      Object.values(value).every((each) => Number.isInteger(each) && isPort(each as number));
    return isMap ? value : {};
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return {};
    throw error;
  }
}
