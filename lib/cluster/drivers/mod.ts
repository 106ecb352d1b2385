/**
 * What runs instances on a node.
 *
 * Reading order: `driver.ts` (what every driver does), `memory.ts` (one that runs nothing, for simulations), `kept/`
 * (commands under keepers), `process/` and `microvm/` (of these, programs and tiny virtual machines).
 * @module
 */
export * from "./driver.ts";
export { MemoryDriver, MemoryMachine, type MemoryOperation, type MemoryOptions } from "./memory.ts";
export { openProcessDriver } from "./process/mod.ts";
export { type MicrovmOptions, openMicrovmDriver, tinyGuest } from "./microvm/mod.ts";
