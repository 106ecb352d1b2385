/** The daemon's state over HTTP, for clients that do not behave. */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { History, type HostUpdate, LogStore } from "../../lib/nix_btm/mod.ts";
import { nixRoutes, type RouteSources } from "../../lib/nix_btm/routes.ts";

/** Routes over a daemon of which nothing but its updates is there. */
class Served implements Disposable {
  readonly followers = new Set<(message: HostUpdate) => void>();
  readonly folder = Deno.makeTempDirSync({ prefix: "nix-btm-" });
  readonly history = History.open(":memory:");
  readonly #sources: RouteSources = {
    snapshot: () => ({ ring: "", epoch: 1, position: 0n, hosts: [{ host: "", isNew: true, update: {} }] }),
    follow: (tell) => {
      this.followers.add(tell);
      return () => this.followers.delete(tell);
    },
    kept: { history: this.history, logs: new LogStore(this.folder), logOf: () => undefined },
    status: () => ({}),
    metrics: () => "",
  };
  readonly app: ReturnType<typeof nixRoutes>;

  constructor(options: Parameters<typeof nixRoutes>[1] = {}) {
    this.app = nixRoutes(this.#sources, options);
  }

  async get(path: string): Promise<Response> {
    return await this.app.request(path);
  }

  [Symbol.dispose](): void {
    this.history[Symbol.dispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("a client of events that reads nothing is let go when tens of megabytes wait for it", async () => {
  using served = new Served();
  const response = await served.get("/api/v1/events");
  const update = { lines: [{ job: 1, lines: ["x".repeat(2 ** 20)] }] };
  let sent = 0;
  while (served.followers.size > 0) {
    sent++;
    for (const tell of served.followers) tell({ host: "", update });
  }
  strictEqual(sent > 30 && sent < 40, true, `${sent} messages of a megabyte`);
  await rejects(response.text(), /^RangeError: the client of events reads too slowly$/);
});

Deno.test("a history and a log that cannot be read are told with why", async () => {
  using served = new Served();
  served.history[Symbol.dispose]();
  for (const path of ["/api/v1/history", "/api/v1/statistics"]) {
    const response = await served.get(path);
    deepStrictEqual([response.status, await response.text()], [
      503,
      "the history cannot be read: database is not open\n",
    ]);
  }
  Deno.mkdirSync(`${served.folder}/1-2-a.log`);
  const response = await served.get("/api/v1/logs/1-2-a");
  strictEqual(response.status, 503);
  match(await response.text(), /^the log 1-2-a cannot be read: Is a directory/);
});

Deno.test("a client of events hears what is, then what changes", async () => {
  using served = new Served();
  const reader = (await served.get("/api/v1/events")).body!.getReader();
  for (const tell of served.followers) tell({ host: "", update: { removedJobs: [7] } });
  const said = [await reader.read(), await reader.read()];
  deepStrictEqual(said.map(({ value }) => new TextDecoder().decode(value)), [
    'data: {"host":"","isNew":true,"update":{}}\n\n',
    'data: {"host":"","update":{"removedJobs":[7]}}\n\n',
  ]);
  await reader.cancel();
});

Deno.test("a client of events hears that the daemon lives though nothing changes", async () => {
  using served = new Served({ beatMs: 1 });
  const reader = (await served.get("/api/v1/events")).body!.getReader();
  await reader.read();
  const { value } = await reader.read();
  strictEqual(new TextDecoder().decode(value), 'data: {"host":"","update":{}}\n\n');
  await reader.cancel();
});

Deno.test("clients of events are so many at a time, and make room when they go", async () => {
  using served = new Served();
  const all: Response[] = [];
  for (let at = 0; at < 64; at++) all.push(await served.get("/api/v1/events"));
  const refused = await served.get("/api/v1/events");
  deepStrictEqual([refused.status, await refused.text()], [503, "64 clients follow already\n"]);
  await all[0]!.body!.cancel();
  const next = await served.get("/api/v1/events");
  strictEqual(next.status, 200);
  for (const { body } of [...all.slice(1), next]) await body!.cancel();
  strictEqual(served.followers.size, 0);
});

Deno.test("what is no log's name, and what is no number, is refused as such", async () => {
  using served = new Served();
  for (const path of ["logs/..%2f..%2fetc%2fpasswd", "logs/%2e%2e", "logs/a%00b", "jobs/1/log?file=../x"]) {
    const { status, body } = await served.get(`/api/v1/${path}`);
    await body?.cancel();
    deepStrictEqual([path, status], [path, 404]);
  }
  for (const query of ["limit=-1", "limit=1e99", "before=x", "since=NaN"]) {
    const { status, body } = await served.get(`/api/v1/history?${query}`);
    await body?.cancel();
    deepStrictEqual([query, status], [query, 400]);
  }
});
