/** A command that is recorded for as long as it runs. @module */

/** How long a command that was asked to end may take before it is ended. */
const GRACE_MS = 5_000;

/** Exit code when the recording's duration was over before the command, as `timeout` gives it. */
export const CAPPED_CODE = 124;

/** A running command. */
export interface WrappedCommand {
  /** The program's name, without its folder and arguments: those can carry secrets. */
  readonly name: string;
  /** Its exit code; 128 and the signal's number when one ended it. */
  readonly ended: Promise<number>;
  /** Asks it to end, and ends it when it does not. Harmless when it has ended. */
  stop(): void;
}

/** Starts a command with our own input and output. @throws {Error} When it cannot be started. */
export function startCommand(command: readonly string[]): WrappedCommand {
  const [program, ...args] = command as [string, ...string[]];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, { args, stdin: "inherit" }).spawn();
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot run ${program}: ${found}`, { cause: error });
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  return {
    name: program.slice(program.lastIndexOf("/") + 1),
    ended: child.status.then(({ code }) => code).finally(() => {
      over = true;
      clearTimeout(timer);
    }),
    stop() {
      if (over) return;
      kill(child, "SIGTERM");
      timer ??= setTimeout(() => kill(child, "SIGKILL"), GRACE_MS);
    },
  };
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // It has ended already.
  }
}
