/**
 * A cluster of machines that runs programs and tiny virtual machines, and keeps its word: what was taken is run once, and
 * every decision can be explained.
 *
 * Reading order: `clock.ts` and `chance.ts` (time and chance are arguments), `store/` (where the state is), `model/` (what the state is of),
 * `schedule/` (where things are placed, and why not). Everything that decides is pure; what acts takes time, chance and
 * transport as arguments, so that servers, store and agents can be run together in a simulation.
 * `drivers/` (what runs instances on a node) is imported by itself: it brings native libraries.
 * @module
 */
export { type Chance, MACHINE_CHANCE } from "./chance.ts";
export { type Clock, MACHINE_CLOCK } from "./clock.ts";
export * from "./model/instance.ts";
export * from "./model/node.ts";
export * from "./model/project.ts";
export { Keys, LAYOUT } from "./model/keys.ts";
export * from "./store/mod.ts";
export * from "./schedule/mod.ts";
