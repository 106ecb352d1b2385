/** Where folders that people name really lie. @module */
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
