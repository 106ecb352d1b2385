/** Small files of `/proc` and `/sys`, read in one go. A root can be given, so that tests can bring their own. @module */
import { SystemError } from "../../ffi/errno.ts";
import { kernelPathExists, listKernelFolder, readKernelFile } from "../../ffi/files/mod.ts";

/** Reads files of the kernel. What it does not have or denies is absent, not an error. */
export class Procfs {
  readonly #root: string;

  constructor(root = "") {
    this.#root = root;
  }

  /** Text of a file given by its absolute path; `undefined` when there is none for us. */
  text(path: string): string | undefined {
    const bytes = this.bytes(path);
    return bytes === undefined ? undefined : TEXT.decode(bytes);
  }

  /** Bytes of a file; `undefined` when there is none for us. */
  bytes(path: string): Uint8Array<ArrayBuffer> | undefined {
    return orAbsent(() => readKernelFile(this.#root + path), undefined);
  }

  /** Names in a folder, sorted; empty when there is none. */
  names(path: string): string[] {
    return orAbsent(() => listKernelFolder(this.#root + path), []);
  }

  /** Whether something stands at the path. */
  exists(path: string): boolean {
    return orAbsent(() => kernelPathExists(this.#root + path), false);
  }
}

const TEXT = new TextDecoder();

function orAbsent<T>(read: () => T, absent: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SystemError && ABSENT.has(error.code)) return absent;
    throw error;
  }
}

/** Kernel files also answer ENODEV, EOPNOTSUPP, EINVAL or EIO where a feature is compiled in but switched off. */
const ABSENT = new Set([
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "ENODEV",
  "EOPNOTSUPP",
  "EINVAL",
  "ESRCH",
  "EIO",
]);

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
