/** Asking a service how it is. @module */
import { deadline } from "../async/mod.ts";
import type { Command } from "./spec.ts";

/** A question that is asked again and again. */
export type PolledProbe =
  /** Well when the program ends with 0. */
  | { readonly kind: "exec"; readonly command: Command }
  /** Well when a GET is answered with 200 to 399. */
  | {
    readonly kind: "http";
    readonly url: string;
    /** Any answer will do. */
    readonly anyStatus?: boolean;
  }
  /** Well when a connection is taken. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** Something that it says by itself: once until it is ready, and in each period from then on. */
export type SaidProbe =
  /** A line of its output that matches. */
  | { readonly kind: "log"; readonly pattern: RegExp }
  /** `READY=1`, and then `WATCHDOG=1`, to `sd_notify(3)`. */
  | { readonly kind: "notify" };

/** How it is known that a service is ready, or well. */
export type Probe =
  & (PolledProbe | SaidProbe)
  & {
    /**
     * Pause between two probes, by default 100 ms until it is ready and 5 s from then on; or the period in which it
     * has to say that it is well, 30 s by default.
     */
    readonly everyMs?: number;
    /** A probe that takes longer has failed; 2 s by default. */
    readonly withinMs?: number;
    /** So many failed probes in a row count as one failure; 3 by default. Only for a liveness probe that is polled. */
    readonly failures?: number;
  };

const WITHIN_MS = 2_000;

/** Whether it is known by asking. */
export function isPolled(probe: Probe): probe is PolledProbe & Probe {
  return probe.kind !== "log" && probe.kind !== "notify";
}

/** Asks once; whatever goes wrong is a no. @throws The signal's reason. */
export async function ask(probe: PolledProbe & Probe, signal: AbortSignal): Promise<boolean> {
  using limit = deadline(probe.withinMs ?? WITHIN_MS, signal);
  try {
    return await answer(probe, limit.signal);
  } catch (error) {
    signal.throwIfAborted();
    // Refused, cut off, too late, no such program: to the service's own words nothing can be added here.
    if (error instanceof Error || error instanceof DOMException) return false;
    throw error;
  }
}

async function answer(probe: PolledProbe, signal: AbortSignal): Promise<boolean> {
  switch (probe.kind) {
    case "exec": {
      const { argv: [program, ...args], env = {}, cwd } = probe.command;
      const options = {
        args,
        env: { ...env },
        stdin: "null",
        stdout: "null",
        stderr: "null",
        signal,
      } as const;
      return (await new Deno.Command(program, cwd === undefined ? options : { ...options, cwd }).output())
        .success;
    }
    case "http": {
      const response = await fetch(probe.url, {
        signal,
        redirect: "manual",
        // A connection that is kept would be one that the service has to drain.
        headers: { connection: "close" },
      });
      await response.body?.cancel();
      return probe.anyStatus === true || (response.status >= 200 && response.status < 400);
    }
    case "tcp": {
      const { host: hostname, port } = probe;
      (await Deno.connect({ hostname, port, signal })).close();
      return true;
    }
    default:
      return probe satisfies never;
  }
}
