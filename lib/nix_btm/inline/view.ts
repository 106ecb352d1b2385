/** What a session needs of those who show it: they are told what happens, and say what is to be written. @module */
import type { Job } from "../../nix/mod.ts";
import type { Update } from "../world.ts";
import type { End } from "./ending.ts";

/** Where and when something is shown. */
export interface Moment {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** Of the terminal. */
  readonly width: number;
  readonly height: number;
}

/** A way of showing; pure, what it returns is written by others. */
export interface View {
  /** Text that waits to be written, about. */
  readonly pendingLength: number;
  /** A line of a build's log. */
  line(job: Job, text: string): void;
  /** What Nix has to say. */
  message(text: string, level: number): void;
  /** What the command itself wrote on its standard error. */
  text(bytes: Uint8Array): void;
  /** What it wrote on its standard output, where that comes through here. */
  output(bytes: Uint8Array): void;
  /** Something changed, or time has passed. */
  show(update: Update | undefined, moment: Moment): string;
  /** Everything is over; the last thing that is asked. */
  end(end: End, moment: Moment): string;
  /** Others have written on the same terminal. */
  forget?(): void;
  /** Something is shown that has to go soon. */
  readonly isLingering?: boolean;
}
