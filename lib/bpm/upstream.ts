/** Name and version by which clients of the original know its server. */
export const BPM_UPSTREAM = { name: "background-process-manager", version: "0.1.0" } as const;
