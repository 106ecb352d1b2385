/** Chance as an argument: the machine's, or that of a simulation's seed. @module */

/** What is made up. */
export interface Chance {
  /** Nobody else has it. */
  id(): string;
  /** A whole number from 0 on, below `limit`. */
  below(limit: number): number;
}

/** That of this machine. */
export const MACHINE_CHANCE: Chance = {
  id: () => crypto.randomUUID(),
  below: (limit) => Math.floor(Math.random() * limit),
};
