/** Following the daemon, for the commands that go on. @module */
import { TempFolder } from "../../lib/cli/mod.ts";
import type { Client } from "../../lib/nix_btm/mod.ts";

/** A client that follows until it is disposed. */
export interface Following extends AsyncDisposable {
  readonly client: Client;
}

/** Begins to follow the daemon at `control`, or waits until there is one; what changes is told. */
export async function followDaemon(
  control: string,
  signal: AbortSignal,
  onChange: () => void = () => {},
): Promise<Following> {
  const { Client } = await import("../../lib/nix_btm/mod.ts");
  const { Doorbell } = await import("../../lib/ring/mod.ts");
  await using stack = new AsyncDisposableStack();
  const client = stack.use(new Client({ kind: "unix", path: control }));
  const { path } = stack.use(TempFolder.create("nix-btm-client"));
  const doorbell = stack.use(Doorbell.create(`${path}/doorbell`));
  const over = new AbortController();
  const following = client.follow(doorbell, { signal: AbortSignal.any([signal, over.signal]), onChange });
  stack.defer(async () => {
    over.abort();
    await following;
  });
  const owned = stack.move();
  return { client, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
