/** Folders that a tool makes for itself. @module */

/**
 * Makes a folder where there is none, with all on the way to it.
 * @throws {Error} Saying what it is for, and why it cannot be used.
 */
export function makeFolder(
  path: string,
  { of: what, mode }: { readonly of: string; readonly mode: number },
): void {
  try {
    Deno.mkdirSync(path, { recursive: true, mode });
  } catch (cause) {
    throw new Error(`Cannot use ${path} as the folder of ${what}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Deno.errors.AlreadyExists) return "it is no folder";
  if (cause instanceof Deno.errors.NotADirectory) return "something on the way to it is no folder";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  // The runtime keeps off what belongs to the kernel.
  if (cause instanceof Deno.errors.NotCapable) return "nothing can be made there";
  return cause instanceof Error ? cause.message.replace(/ \(os error \d+\): .*$/s, "") : String(cause);
}
