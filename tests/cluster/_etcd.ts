/** A real etcd for tests, of one member, on loopback. @module */
import { existsSync } from "node:fs";
import { EtcdStore } from "../../lib/cluster/store/etcd.ts";
import { freePort } from "../free_port.ts";

const ETCD = "/usr/bin/etcd";
export const HAS_ETCD: boolean = existsSync(ETCD);

export class EtcdProcess implements AsyncDisposable {
  readonly endpoint: string;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;

  private constructor(endpoint: string, folder: string, child: Deno.ChildProcess) {
    this.endpoint = endpoint;
    this.#folder = folder;
    this.#child = child;
  }

  /** Resolves when it answers. */
  static async start(): Promise<EtcdProcess> {
    const folder = await Deno.makeTempDir({ prefix: "etcd-" });
    const endpoint = `http://127.0.0.1:${freePort()}`;
    const peer = `http://127.0.0.1:${freePort()}`;
    const child = new Deno.Command(ETCD, {
      args: [
        ...["--name", "a", "--data-dir", `${folder}/data`, "--logger", "zap", "--log-level", "error"],
        ...["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint],
        ...[
          "--listen-peer-urls",
          peer,
          "--initial-advertise-peer-urls",
          peer,
          "--initial-cluster",
          `a=${peer}`,
        ],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const started = new EtcdProcess(endpoint, folder, child);
    await started.#ready();
    return started;
  }

  store(): EtcdStore {
    return new EtcdStore({ endpoints: [this.endpoint] });
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #ready(): Promise<void> {
    await using store = this.store();
    for (let tries = 0;; tries++) {
      try {
        await store.get("/ready");
        return;
      } catch (error) {
        if (tries === 20) throw error;
      }
    }
  }
}
