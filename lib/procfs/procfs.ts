/** Small files of the kernel. @module */
import { SystemError } from "../../ffi/errno.ts";
import { kernelPathExists, listKernelFolder, readKernelFile, readKernelLink } from "../../ffi/files/mod.ts";

/** Reads files of the kernel. What it does not have or denies is absent, not an error. */
export class Procfs {
  /** What comes before every path; empty for the machine's own files. */
  readonly root: string;

  constructor(root = "") {
    this.root = root;
  }

  /** Text of a file given by its absolute path; `undefined` when there is none for us. */
  text(path: string): string | undefined {
    const bytes = this.bytes(path);
    return bytes === undefined ? undefined : TEXT.decode(bytes);
  }

  /** Bytes of a file; `undefined` when there is none for us. */
  bytes(path: string): Uint8Array<ArrayBuffer> | undefined {
    return orAbsent(() => readKernelFile(this.root + path), undefined);
  }

  /** Where a link leads, as it stands in it; `undefined` when there is none for us. */
  link(path: string): string | undefined {
    return orAbsent(() => readKernelLink(this.root + path), undefined);
  }

  /** Names in a folder, sorted; empty when there is none. */
  names(path: string): string[] {
    return orAbsent(() => listKernelFolder(this.root + path), []);
  }

  /** Whether something stands at the path. */
  exists(path: string): boolean {
    return orAbsent(() => kernelPathExists(this.root + path), false);
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
