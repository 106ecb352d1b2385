/** Small files of `/proc` and `/sys`, read in one go. A root can be given, so that tests can bring their own. @module */

/** Reads files of the kernel. */
export class Procfs {
  readonly #root: string;

  constructor(root = "") {
    this.#root = root;
  }

  /** Text of a file given by its absolute path; `undefined` when the kernel has no such file or denies it. */
  text(path: string): string | undefined {
    try {
      return Deno.readTextFileSync(this.#root + path);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  /** Names in a folder; empty when there is none. */
  names(path: string): string[] {
    try {
      return [...Deno.readDirSync(this.#root + path)].map((entry) => entry.name).sort();
    } catch (error) {
      if (isAbsence(error)) return [];
      throw error;
    }
  }

  /** Whether something stands at the path. */
  exists(path: string): boolean {
    try {
      Deno.statSync(this.#root + path);
      return true;
    } catch (error) {
      if (isAbsence(error)) return false;
      throw error;
    }
  }
}

/** Kernel files also answer ENODEV, EOPNOTSUPP or EINVAL where a feature is compiled in but switched off. */
function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotADirectory ||
    (error instanceof Error && "code" in error && ABSENT_CODES.has(String(error.code)));
}

const ABSENT_CODES = new Set(["ENODEV", "EOPNOTSUPP", "EINVAL", "ESRCH", "EIO"]);

/** CPUs of a list such as `0-3,8`, ascending. @throws {SyntaxError} When it is none. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const part of text.trim().split(",")) {
    if (part === "") continue;
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) throw new SyntaxError(`Cannot parse CPU list: "${part}" in "${text.trim()}"`);
    for (let cpu = Number(first); cpu <= Number(last ?? first); cpu++) cpus.push(cpu);
  }
  return cpus;
}
