/** What a service is called where only some names can be. @module */
import { createHash } from "node:crypto";

/** Names that folders and cgroups can have, everywhere and as they are. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/;
const SHOWN_CHARS = 24;
const HASH_CHARS = 16;

/** The name itself where it can be a file's; else what of it can be, and a hash that tells it from all others. */
export function fileName(service: string): string {
  if (PLAIN.test(service)) return service;
  const shown = service.replaceAll(/[^A-Za-z0-9_.@-]+/g, "_").slice(0, SHOWN_CHARS);
  // No plain name has a tilde.
  return `${shown}~${createHash("sha256").update(service).digest("hex").slice(0, HASH_CHARS)}`;
}
