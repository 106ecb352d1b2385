/**
 * What a service leaves on disk: a folder for each instance, in which its keeper has its log, and what its manager
 * wanted of it. All of it is read again by the next manager; nothing else is remembered.
 * @module
 */
import { giveUpInstance, inspectInstance, type InstanceStatus } from "../keeper/mod.ts";
import type { Retention } from "./spec.ts";

/** Number of the form of `wanted.json` and of the folders' names. */
export const LEDGER_FORMAT = 1;

export type InstanceKind = "run" | "build";

/** A place for one instance. Numbers of runs and of builds are counted apart, and never used again. */
export interface Place {
  readonly kind: InstanceKind;
  readonly number: number;
  readonly folder: string;
}

/** What was wanted of a service when that changed last. */
export interface Wanted {
  readonly format: number;
  readonly up: boolean;
  readonly failures: number;
  /** Number of the run that was ready. */
  readonly ready?: number;
}

const NAME = /^(run|build)-(\d{6,15})$/;
const WANTED = "wanted.json";
/** What is wanted takes less, and is filled up with spaces: then one write into the file changes all of it. */
const WANTED_BYTES = 256;
/** Stands in an instance that was ended on purpose. */
const ENDED = "ended";
/** `KEEPER_OWNER_ENDED` of ffi/keeper/keeper.h. */
const OWNER_ENDED = "owner_ended";

/** The folder of one service. */
export class Ledger {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the place for the next instance, and removes ended ones beyond retention. */
  create(kind: InstanceKind, retention: Retention): Place {
    const before = this.places(kind);
    this.#prune(before, retention);
    const number = (before.at(-1)?.number ?? 0) + 1;
    const folder = `${this.folder}/${kind}-${String(number).padStart(6, "0")}`;
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    return { kind, number, folder };
  }

  /** All places, oldest first. */
  places(kind: InstanceKind): Place[] {
    const found: Place[] = [];
    for (const { name, isDirectory } of entriesOf(this.folder)) {
      if (!isDirectory) continue;
      const [, foundKind, digits] = NAME.exec(name) ?? [];
      if (foundKind === kind) found.push({ kind, number: Number(digits), folder: `${this.folder}/${name}` });
    }
    return found.sort((a, b) => a.number - b.number);
  }

  /**
   * Undefined when nothing is known; whether that is so since the file is damaged is told by `damage`.
   * @throws {SyntaxError} When the file is of a newer form.
   */
  wanted(): Wanted | undefined {
    const path = `${this.folder}/${WANTED}`;
    const text = readIfThere(path);
    const value = text === undefined ? undefined : parseWanted(text);
    if (value === undefined) return undefined;
    if (value.format !== LEDGER_FORMAT) {
      throw new SyntaxError(
        `Cannot read "${path}": format is ${value.format}, this build reads ${LEDGER_FORMAT}`,
      );
    }
    return value;
  }

  /** What is wrong with the file, after a power cut for example; undefined when nothing is, or there is none. */
  damage(): string | undefined {
    const path = `${this.folder}/${WANTED}`;
    const text = readIfThere(path);
    if (text === undefined || parseWanted(text) !== undefined) return undefined;
    return `Cannot read "${path}": it is not what a manager wrote`;
  }

  /** Keeps what is wanted; all of it or, when the manager dies meanwhile, what stood there before. */
  want(wanted: Omit<Wanted, "format">): void {
    const path = `${this.folder}/${WANTED}`;
    const text = JSON.stringify({ format: LEDGER_FORMAT, ...wanted });
    const bytes = new TextEncoder().encode(text.padEnd(WANTED_BYTES));
    if (bytes.length === WANTED_BYTES && overwrite(path, bytes)) return;
    Deno.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    Deno.writeFileSync(`${path}.new`, bytes);
    Deno.renameSync(`${path}.new`, path);
  }

  /** Forgets what was wanted: the manager ends as it was asked to. */
  forget(): void {
    try {
      Deno.removeSync(`${this.folder}/${WANTED}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  #prune(places: readonly Place[], { count, bytes }: Retention): void {
    // The one that is about to be made counts too, and so does what lives.
    let kept = 1;
    let keptBytes = 0;
    let isNewest = true;
    for (const place of places.toReversed()) {
      const isLiving = lives(inspectPlace(place));
      if (!isLiving) keptBytes += folderBytes(place.folder);
      if (isLiving || (kept < count && (isNewest || keptBytes <= bytes))) kept++;
      else Deno.removeSync(place.folder, { recursive: true });
      isNewest &&= isLiving;
    }
  }
}

/** Marks an instance as ended on purpose, before it is. */
export function markEnded({ folder }: Place): void {
  Deno.writeTextFileSync(`${folder}/${ENDED}`, "");
}

/** Whether it was ended on purpose. */
export function wasEnded({ folder }: Place): boolean {
  return readIfThere(`${folder}/${ENDED}`) !== undefined;
}

/** Whether it was to end: by its manager's order, or since its owner had ended, as a keeper notes it. */
export function wasToEnd(place: Place): boolean {
  return wasEnded(place) || readIfThere(`${place.folder}/${OWNER_ENDED}`) !== undefined;
}

/** What stands in a place; a keeper that has not come yet is kept from coming. */
export function settlePlace(place: Place): InstanceStatus {
  const status = inspectPlace(place);
  return status.kind === "unborn" && giveUpInstance(place.folder) ? { kind: "void" } : status;
}

/** What stands in a place. */
export function inspectPlace({ folder }: Place): InstanceStatus {
  return inspectInstance(folder);
}

/** Whether a keeper is there, or may still come. */
export function lives(status: InstanceStatus): boolean {
  return status.kind === "unborn" || status.kind === "beginning" || status.kind === "running" ||
    (status.kind === "exited" && status.keeperAlive);
}

/**
 * Changes a file of the same size in place, in one write that a killed process has made or not; false when there is none.
 * A new file for each change makes ext4 look through all inodes that were freed in the last seconds: stopping 500
 * services took 2.0 s so, against 0.25 s.
 */
function overwrite(path: string, bytes: Uint8Array): boolean {
  try {
    using file = Deno.openSync(path, { write: true });
    return file.statSync().size === bytes.length && file.writeSync(bytes) === bytes.length;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function parseWanted(text: string): Wanted | undefined {
  try {
    const value = JSON.parse(text);
    const isWanted = typeof value === "object" && value !== null && typeof value.format === "number" &&
      typeof value.up === "boolean" && typeof value.failures === "number";
    return isWanted ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function folderBytes(folder: string): number {
  return entriesOf(folder).reduce((sum, { name, isFile }) => {
    return isFile ? sum + Deno.statSync(`${folder}/${name}`).size : sum;
  }, 0);
}
