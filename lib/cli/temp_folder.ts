/** Folders of commands that run: files which others have to find while the command lives, and nobody after it. @module */

/** Another command may take a folder for left over in the moment between its making and its lock. */
const TRIES = 10;

/**
 * A folder of this process until it is disposed. Those that processes left behind which were killed are removed when the
 * next one of that name is made: a lock tells that an owner lives, also one in another container.
 */
export class TempFolder implements Disposable {
  readonly path: string;
  readonly #lock: Deno.FsFile;
  #isDisposed = false;

  /** @throws {Error} When none can be made in the folder for temporary files. */
  static create(name: string): TempFolder {
    const prefix = `hostkit-${name}-`;
    for (let tries = 1;; tries++) {
      const path = Deno.makeTempDirSync({ prefix });
      const lock = lockOf(path);
      if (lock === undefined && tries < TRIES) continue;
      if (lock === undefined) throw new Error(`Cannot keep ${path}: others remove it`);
      removeLeft(path.slice(0, path.lastIndexOf("/")), prefix);
      return new TempFolder(path, lock);
    }
  }

  private constructor(path: string, lock: Deno.FsFile) {
    this.path = path;
    this.#lock = lock;
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    removeIfThere(this.path);
    this.#lock.close();
  }
}

/** The lock of a folder, which ends with its process; `undefined` when somebody has it, or the folder is gone. */
function lockOf(path: string): Deno.FsFile | undefined {
  try {
    const file = Deno.openSync(path);
    if (file.tryLockSync(true) && Deno.lstatSync(path).ino === file.statSync().ino) return file;
    file.close();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Folders of this user whose owners have gone; whoever is not to be removed has his lock. */
function removeLeft(parent: string, prefix: string): void {
  const uid = Deno.uid();
  try {
    for (const { name, isDirectory } of Deno.readDirSync(parent)) {
      if (isDirectory && name.startsWith(prefix)) removeUnowned(`${parent}/${name}`, uid);
    }
  } catch (error) {
    // The folder may tell nobody what is in it; nothing depends on this.
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}

function removeUnowned(path: string, uid: number | null): void {
  try {
    if (Deno.lstatSync(path).uid !== uid) return;
    using lock = lockOf(path);
    if (lock !== undefined) removeIfThere(path);
  } catch (error) {
    // Somebody else was faster, or it holds what is not ours: the next one tries again.
    if (!(error instanceof Error)) throw error;
  }
}

/** Others tidy up too. */
function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
