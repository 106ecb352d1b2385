/** Restarts under load, by each rung of the ladder: the new one is ready before the old one is ended. @module */
import { interposerEnvironment } from "../../ffi/interpose/mod.ts";
import { type Listener, openListener } from "../../ffi/sockets/mod.ts";
import { inspectInstance, type KeeperOptions } from "../../lib/keeper/mod.ts";
import { type Backend, Proxy, type ProxyStats } from "../../lib/swap/mod.ts";
import { beginDrain, openConnections } from "../../lib/swap/mod.ts";
import { Instance, until } from "./_instance.ts";
import { build, Load, type LoadResult, SERVERS } from "./_programs.ts";

export interface RestartOptions {
  readonly server: keyof typeof SERVERS;
  readonly clients: number;
  readonly keepAlive: boolean;
  readonly restarts: number;
  readonly pauseUs?: number;
  readonly method?: "GET" | "POST";
  /** The old one is killed before the new one is begun. */
  readonly crash?: boolean;
}

export function portOf({ address }: Pick<Listener, "address">): number {
  if ("path" in address) throw new TypeError("a port was expected");
  return address.port;
}

/** The two rungs on which both programs accept on one socket. */
export async function sharedRestarts(
  rung: "inherited" | "interposer",
  { server, clients, keepAlive, restarts, pauseUs = 0 }: RestartOptions,
): Promise<LoadResult> {
  await build("server");
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  const port = portOf(listener);
  const options = (folder: string): Partial<KeeperOptions> => ({
    listeners: [{ fd: listener.fd, name: "web", passed: rung === "inherited" }],
    env: rung === "inherited" ? {} : {
      ...interposerEnvironment({ folder, ports: { [port]: "web" } }),
      PORT: String(port),
    },
  });
  const begin = () => Instance.start(SERVERS[server]!(port), options);
  let current = await begin();
  const load = await Load.start({ port, clients, keepAlive, pauseUs });
  for (let round = 0; round < restarts; round++) {
    await using old = current;
    current = await begin();
    if (rung === "inherited") continue;
    beginDrain(old.folder);
    await until("the old one's last answer", () => openConnections(old.pid, port) === 0);
  }
  const result = await load.stop();
  await current[Symbol.asyncDispose]();
  return result;
}

/**
 * The rung on which the proxy has the socket: what is linked dynamically binds the declared port and gets a private
 * socket, what is static is told a private port.
 */
export async function proxyRestarts(
  { server, clients, keepAlive, restarts, pauseUs = 0, method = "GET", crash = false }: RestartOptions,
): Promise<LoadResult & { readonly stats: ProxyStats }> {
  await build("server", ...server === "static" ? ["-static"] : []);
  await using proxy = await Proxy.start({});
  const port = portOf(proxy);
  const begin = async (): Promise<[Instance, Backend]> => {
    using own = openListener({ host: "127.0.0.1", port: 0 });
    const backend = { host: "127.0.0.1", port: portOf(own) };
    if (server === "static") {
      own[Symbol.dispose]();
      const env = { PORT: String(backend.port) };
      return [await Instance.start(SERVERS[server]!(port), () => ({ env })), backend];
    }
    const options = (folder: string): Partial<KeeperOptions> => ({
      listeners: [{ fd: own.fd, name: "web", passed: false }],
      env: {
        ...interposerEnvironment({ folder, ports: { [port]: "web" } }),
        PORT: String(port),
      },
    });
    return [await Instance.start(SERVERS[server]!(port), options), backend];
  };
  let current = await begin();
  proxy.use(current[1]);
  const load = await Load.start({ port, clients, keepAlive, pauseUs, method });
  for (let round = 0; round < restarts; round++) {
    const [old, before] = current;
    await using _old = old;
    if (crash) {
      const status = inspectInstance(old.folder);
      if (status.kind === "running") Deno.kill(status.pid, "SIGKILL");
    }
    current = await begin();
    proxy.use(current[1]);
    await proxy.drained(before);
  }
  const result = { ...await load.stop(), stats: proxy.stats() };
  proxy.use(undefined);
  await current[0][Symbol.asyncDispose]();
  return result;
}
