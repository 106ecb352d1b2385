/**
 * Signals while a command runs in our process group. Keys of the terminal reach it and us at once, sent by the kernel:
 * these are only lived through. What another process sends comes to us alone, so that the command gets it from us. Who
 * sends to the whole group (`kill %1` of a shell) is not told apart: the command hears of that twice. Stopping and going
 * on (Ctrl-Z, `fg`) need nobody's help, and whoever handled them would stop where the kernel does not: in a group whose
 * shell is gone.
 * @module
 */
import { readKernelFile } from "../../../ffi/files/mod.ts";
import { ignoreSignal, noteSender, sentByProcess, signalName } from "../../../ffi/sys/mod.ts";

/** Those that end us otherwise, and those that a command may wait for. Window sizes the kernel tells everyone. */
const FORWARDED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const;

/** What a command can be told. */
interface Target {
  kill(signal: Deno.Signal): void;
}

/** Hears signals from its making until it is disposed. */
export class SignalRelay implements Disposable {
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #say: (line: string) => void;
  #target: Target | undefined;
  #heard: Deno.Signal | undefined;

  /** What the machine ignores for us (`nohup`, `&` in a script) stays ignored: the command inherits that. */
  constructor(say: (line: string) => void) {
    this.#say = say;
    const ignored = ignoredSignals();
    for (const signal of FORWARDED.filter((each) => !ignored.has(each))) {
      this.#listen(signal, () => {
        if (!signal.startsWith("SIGUSR")) this.#heard ??= signal;
        if (this.#target !== undefined && sentByProcess(signal)) this.send(signal);
      });
    }
    for (const signal of FORWARDED.filter((each) => ignored.has(each))) ignoreSignal(signal);
  }

  /** The first signal that asked for an end: nothing is to be started any more, however well the command took it. */
  get heard(): Deno.Signal | undefined {
    return this.#heard;
  }

  /** From now on signals are for this command; for none without one. */
  attach(target: Target | undefined): void {
    this.#target = target;
  }

  #listen(signal: Deno.Signal, listener: () => void): void {
    Deno.addSignalListener(signal, listener);
    noteSender(signal);
    this.#listeners.push([signal, listener]);
  }

  /** Tells the command, if there is one. */
  send(signal: Deno.Signal): void {
    try {
      this.#target?.kill(signal);
    } catch (error) {
      // It has just ended; its status is on the way.
      if (error instanceof TypeError || error instanceof Deno.errors.NotFound) return;
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      this.#say(`cannot send ${signal} to the command: it runs as somebody else`);
    }
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners.splice(0)) Deno.removeSignalListener(signal, listener);
  }
}

/** From the mask `SigIgn` of proc(5), whose lowest bit is signal 1. */
function ignoredSignals(): ReadonlySet<string> {
  const status = new TextDecoder().decode(readKernelFile("/proc/self/status"));
  const mask = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const numbers = Array.from({ length: 31 }, (_, index) => index + 1);
  return new Set(numbers.filter((number) => (mask >> BigInt(number - 1)) & 1n).map(signalName));
}
