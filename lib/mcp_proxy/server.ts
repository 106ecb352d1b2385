/** One server, as a proxy has it: what it is told, and what is heard of it. @module */
import type { Ending } from "./ending.ts";
import type { Message } from "./message.ts";

/** Whoever is told what a server does. Nothing comes after `ended`. */
export interface ServerEvents {
  /** A message, in the order in which they came. */
  message(value: unknown): void;
  /** Resolves when there is room for more messages; `undefined`: there is. */
  room(): Promise<void> | undefined;
  /** A message that was longer than the limit, with the id in it if it was found. */
  tooLong(id: number | undefined): void;
  /** A request has got lost, and the server goes on; `heard` tells whether it may have had it. */
  lost(id: number, reason: string, heard: boolean): void;
  /** What it says beside the protocol, in pieces as they come. */
  said(text: string): void;
  /** It can be given its first request. */
  open(): void;
  /** `unheard` are ids of requests that it has certainly never had. */
  ended(ending: Ending, unheard?: ReadonlySet<number>): void;
}

/** A server that was started, or that is being spoken to. */
export interface Server {
  /** Resolves when nothing is left of it. Never rejects. */
  readonly closed: Promise<void>;
  readonly pid: number | undefined;
  /** Gives it a message; never waits. */
  send(message: Message): void;
  /** Asks it to end, and sees to it that it does. */
  end(): void;
  /** Ends it at once. @param why As in "it did not read". */
  kill(why: string): void;
}
