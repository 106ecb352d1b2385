/** A project's folder on disk, for what reads it. @module */
import type { ProjectFolder } from "./found.ts";

/** Larger files are no configuration. */
const MAX_BYTES = 4 * 2 ** 20;

/** The folder at an absolute path. */
export function diskFolder(path: string): ProjectFolder {
  return {
    name: path.slice(path.lastIndexOf("/") + 1) || "project",
    read(file) {
      const full = within(path, file);
      return ifThere(() => {
        const { isFile, size } = Deno.statSync(full);
        if (!isFile) return undefined;
        if (size > MAX_BYTES) {
          throw new RangeError(`Cannot read ${full}: it has ${size} bytes, ${MAX_BYTES} at most`);
        }
        return Deno.readTextFileSync(full);
      });
    },
    list(folder) {
      const full = within(path, folder);
      const names = ifThere(() =>
        [...Deno.readDirSync(full)].map(({ name }) => isFolder(`${full}/${name}`) ? `${name}/` : name)
      );
      return (names ?? []).sort();
    },
  };
}

function within(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder}/${path}`;
}

function isFolder(path: string): boolean {
  return ifThere(() => Deno.statSync(path).isDirectory) ?? false;
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
