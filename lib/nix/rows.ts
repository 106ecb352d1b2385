/** Where commands and jobs are put as they change, and who hears of what is not kept. Pure. @module */
import type { Command, Job } from "./model.ts";

/** Who wants to know at once what is not kept. */
export interface Listener {
  /** A line of a build's log. */
  line?(job: Job, text: string, atMs: number): void;
  /** A derivation whose file is worth reading. */
  derivation?(path: string): void;
  /** Nix told what one derivation needs: only talkative logs do. */
  edge?(path: string, input: string): void;
  /** What a derivation needs, as far as somebody knows: what begins proves that all that it needs is there. */
  inputs?(path: string): readonly string[];
  /** Which derivation makes a path, as far as somebody knows: locks are told by what they are on. */
  derivationOf?(output: string): string | undefined;
}

/** The rows of all commands and jobs. */
export interface Rows {
  readonly listener: Listener;
  /** A number that no command and no job has. */
  nextId(): number;
  /** It is new or has changed. */
  command(command: Command): void;
  job(job: Job): void;
  /** It is over, and may be forgotten some day. */
  finished(job: Job): void;
  /** It is of no interest any more. */
  forget(job: Job): void;
  /** It turned out to be another one. */
  dropped(command: Command): void;
}
