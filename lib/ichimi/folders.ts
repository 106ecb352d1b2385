/** Where folders that people name really lie. @module */
import { dirname, normalize } from "node:path/posix";
import type { Found } from "./policy.ts";

/** There is none, nobody may look, or no system would take the name. */
const NOWHERE: ReadonlySet<string> = new Set([
  "ENOENT",
  "EACCES",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
  "EINVAL",
]);

export function findFolder(folder: string): Found {
  try {
    const path = Deno.realPathSync(folder);
    return Deno.statSync(path).isDirectory ? { path } : { problem: "no folder" };
  } catch (error) {
    if (NOWHERE.has((error as { readonly code?: string }).code ?? "")) return { problem: "missing" };
    throw error;
  }
}

/** Where an absolute path leads, whatever links are on the way; as far as that can be told of one that leads nowhere. */
export function reallyAt(path: string): string {
  const found = findFolder(path);
  if ("path" in found) return found.path;
  // Steps back are taken where the links lead, as the kernel does.
  const trimmed = path.replace(/(?<=.)\/+$/, "");
  if (trimmed === "/" || !trimmed.startsWith("/")) return normalize(trimmed);
  return normalize(`${reallyAt(dirname(trimmed))}/${trimmed.slice(trimmed.lastIndexOf("/") + 1)}`);
}
