/** What a router wants done. Pure. @module */
import type { Id, Message } from "./message.ts";

/** What is to be done. */
export type Effect =
  | { readonly kind: "toClient"; readonly message: Message }
  | { readonly kind: "toServer"; readonly generation: number; readonly message: Message }
  /** It has answered its greeting: it can be served from. */
  | { readonly kind: "ready"; readonly generation: number }
  /** It is of no use, and why. */
  | { readonly kind: "unfit"; readonly generation: number; readonly reason: string }
  /** A tool of the proxy's own is called. */
  | { readonly kind: "ownCall"; readonly id: Id; readonly message: Message }
  | { readonly kind: "told"; readonly text: string };
