/** Programs that end with the proxy, whatever becomes of that, with all that they have started. @module */
import { guarded } from "../../ffi/keeper/mod.ts";
import { childrenOf } from "../procfs/mod.ts";

/** What is run. */
export interface ChildCommand {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string | undefined;
  /** Beside the proxy's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** How long a program may take to end that was asked by SIGTERM. */
const GRACE_MS = 1_000;

/** Starts a program under a guard, in a session of its own. @throws {Error} When there is no guard to be had. */
export function spawnGuarded(
  { argv, cwd, env = {} }: ChildCommand,
  stdin: "piped" | "null",
): Deno.ChildProcess {
  const [program, ...args] = guarded(argv, GRACE_MS);
  return new Deno.Command(program, {
    args,
    env: { ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin,
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
}

/** The program itself; the guard where that has not started it yet. */
export function guardedPid({ pid }: Deno.ChildProcess): number {
  return childrenOf(pid)[0] ?? pid;
}

/** Asks by SIGTERM, or ends at once. What has ended already needs neither. */
export function endGuarded(child: Deno.ChildProcess, how: "ask" | "kill"): void {
  try {
    child.kill(how === "ask" ? "SIGTERM" : "SIGUSR1");
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      (error instanceof TypeError && /terminated/.test(error.message));
    if (!isGone) throw error;
  }
}

/** Hands on text as it comes, until the stream ends. */
export async function readText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  said: (text: string) => void,
): Promise<void> {
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) said(piece);
}

/** `exited with code 3`, `was killed by SIGKILL`. */
export function endText({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
}
