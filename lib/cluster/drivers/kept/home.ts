/**
 * What a driver leaves on disk: a folder for each instance with what it runs, a folder of its own for the program, and a
 * place for each run with its log. It comes and goes as a whole. The next driver reads it again; nothing else is remembered.
 * @module
 */
import { Ledger } from "../../../supervisor/mod.ts";
import type { Workload } from "../../model/instance.ts";
import { DriverError, type DriverSpec } from "../driver.ts";

/** Number of the form of `instance.json` and of the folders' names. */
export const HOME_FORMAT = 1;

const SPEC = "instance.json";
/** Begins names of folders that come or go right now; no id does. */
const PASSING = ".";

/** The folder of one instance. */
export class Home {
  readonly folder: string;
  readonly ledger: Ledger;

  constructor(root: string, id: string) {
    this.folder = `${root}/${id}`;
    this.ledger = new Ledger(this.folder);
  }

  /** Where its program works, unless it says so itself. */
  get data(): string {
    return `${this.folder}/data`;
  }

  /** Makes it with all that belongs into it. */
  create(spec: DriverSpec): void {
    const made = passing(this.folder, "new");
    Deno.mkdirSync(`${made}/data`, { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(`${made}/${SPEC}`, textOf(spec));
    Deno.renameSync(made, this.folder);
  }

  /** Changes what is to be run. */
  write(spec: DriverSpec): void {
    const path = `${this.folder}/${SPEC}`;
    Deno.writeTextFileSync(`${path}.new`, textOf(spec));
    Deno.renameSync(`${path}.new`, path);
  }

  /** Removes it; nothing of it may run. */
  remove(): void {
    const gone = passing(this.folder, "gone");
    Deno.renameSync(this.folder, gone);
    Deno.removeSync(gone, { recursive: true });
  }
}

/** All that are there; what was coming or going when its driver was killed is removed. */
export function readHomes<W extends Workload>(root: string): Map<string, DriverSpec<W>> {
  Deno.mkdirSync(root, { recursive: true, mode: 0o700 });
  const found = new Map<string, DriverSpec<W>>();
  for (const { name, isDirectory } of Deno.readDirSync(root)) {
    if (!isDirectory) continue;
    const folder = `${root}/${name}`;
    if (name.startsWith(PASSING)) Deno.removeSync(folder, { recursive: true });
    else found.set(name, parseSpec<W>(`${folder}/${SPEC}`));
  }
  return found;
}

function passing(folder: string, what: string): string {
  const slash = folder.lastIndexOf("/") + 1;
  return `${folder.slice(0, slash)}${PASSING}${what}-${folder.slice(slash)}-${crypto.randomUUID()}`;
}

function textOf(spec: DriverSpec): string {
  return JSON.stringify({ format: HOME_FORMAT, ...spec });
}

function parseSpec<W extends Workload>(path: string): DriverSpec<W> {
  const problem = (text: string, cause?: unknown) =>
    new DriverError("failed", `Cannot read "${path}": ${text}`, { cause });
  try {
    const { format, ...spec } = JSON.parse(Deno.readTextFileSync(path));
    if (format !== HOME_FORMAT) throw problem(`format is ${format}, this build reads ${HOME_FORMAT}`);
    return spec;
  } catch (error) {
    if (error instanceof DriverError) throw error;
    throw problem("it is not what a driver wrote", error);
  }
}
