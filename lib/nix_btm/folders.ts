/** Folders that the monitor makes for itself. @module */

/** Of sockets and the ring: who may connect is told by their own permissions. */
export const RUNTIME_FOLDER = { of: "sockets", mode: 0o755 };
/** Of history and logs. */
export const STATE_FOLDER = { of: "what was built", mode: 0o750 };
