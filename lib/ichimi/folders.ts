/** Where folders that people name really lie. @module */
import type { Found } from "./policy.ts";

export function findFolder(folder: string): Found {
  try {
    const path = Deno.realPathSync(folder);
    return Deno.statSync(path).isDirectory ? { path } : { problem: "no folder" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return { problem: "missing" };
    }
    throw error;
  }
}
