/** Managers that become the program that stands now where theirs stood: pid, processes and logs stay. @module */
import { becomeProgram, hearSignals, holdSignals } from "../../ffi/sys/mod.ts";
import { ownCommandLine } from "../build/own_command.ts";
import type { ServiceManager } from "../systemd/mod.ts";
import type { ServiceHost } from "./host.ts";

/** Fires when this manager is to become a newer one: by SIGHUP. */
export interface Upgrade extends Disposable {
  readonly signal: AbortSignal;
}

/** Listens for SIGHUP; lets come what was sent while this program began in the place of another. */
export function listenForUpgrade(): Upgrade {
  const controller = new AbortController();
  const onHangUp = () => controller.abort();
  Deno.addSignalListener("SIGHUP", onHangUp);
  hearSignals();
  return { signal: controller.signal, [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", onHangUp) };
}

/**
 * Lets go of everything, `session` being all that was opened for the host, and becomes the newer program. When `signal`
 * fires meanwhile it is for the new one to end what runs.
 */
export async function becomeNewer(
  host: ServiceHost,
  session: AsyncDisposable,
  { signal, services }: { readonly signal: AbortSignal; readonly services?: ServiceManager },
): Promise<never> {
  // What comes from now on is for the new one too: in the moments before it nobody would hear of it.
  holdSignals();
  await host.release();
  await session[Symbol.asyncDispose]();
  const send = signal.aborted ? "SIGTERM" : undefined;
  return services === undefined
    ? becomeProgram(ownCommandLine(), send)
    : services.become(ownCommandLine(), send);
}
