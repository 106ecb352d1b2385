/** Instances over gRPC, as any client of the contracts sees them. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { credentials, ServerCredentials } from "@grpc/grpc-js";
import { MemoryDriver } from "../../lib/cluster/drivers/mod.ts";
import { MACHINE_CLOCK } from "../../lib/cluster/mod.ts";
import { ComputeService } from "../../lib/cluster/proto/compute_generated.ts";
import { InstancePhase, Power } from "../../lib/cluster/proto/instance_generated.ts";
import { computeService } from "../../lib/cluster/rpc/compute_service.ts";
import { type Caller, GrpcClient, GrpcServer, RpcError } from "../../lib/cluster/rpc/grpc.ts";
import { OneNode } from "./_one_node.ts";

/** A server on loopback, and a client of it. */
async function served(): Promise<
  { readonly compute: Caller<typeof ComputeService>; readonly bugs: unknown[] } & AsyncDisposable
> {
  const stack = new AsyncDisposableStack();
  const one = stack.use(await OneNode.begin([new MemoryDriver({ kind: "process", clock: MACHINE_CLOCK })]));
  const bugs: unknown[] = [];
  const server = stack.use(new GrpcServer((error) => bugs.push(error)));
  server.add(ComputeService, computeService(one));
  await server.listen("127.0.0.1:0", ServerCredentials.createInsecure());
  const client = stack.use(new GrpcClient(`127.0.0.1:${server.port}`, credentials.createInsecure()));
  const compute = client.caller(ComputeService, { deadlineMs: 10_000 });
  return { compute, bugs, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The library keeps timers of its own. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

const web = (name: string) => ({
  name,
  labels: { app: name.slice(0, 3) },
  workload: { case: "process" as const, value: { command: ["sleep", "100"] } },
});

const failing = (code: string, words: RegExp) => (error: unknown) => {
  ok(error instanceof RpcError, String(error));
  strictEqual(error.code, code, error.message);
  match(error.message, words);
  return true;
};

test("gRPC: an instance is created, watched, listed, paused, stopped, explained and deleted", async () => {
  await using cluster = await served();
  const { compute, bugs } = cluster;
  const ended = new AbortController();
  const watch = compute.watchInstances({}, ended.signal)[Symbol.asyncIterator]();
  const until = async (holds: (phase: InstancePhase | undefined, deleted: boolean) => boolean) => {
    for (;;) {
      const { value } = await watch.next();
      const { change } = value;
      if (
        holds(change.case === "changed" ? change.value.status?.phase : undefined, change.case === "deleted")
      ) return value;
    }
  };
  strictEqual((await watch.next()).value.change.case, "listed");
  const { instance: made } = await compute.createInstance({ spec: web("web-1"), idempotencyKey: "k" });
  ok(made !== undefined);
  deepStrictEqual([made.spec?.project, made.spec?.power, made.generation], ["default", Power.RUNNING, 1n]);
  strictEqual(
    (await compute.createInstance({ spec: web("web-1"), idempotencyKey: "k" })).instance?.id,
    made.id,
  );
  await until((phase) => phase === InstancePhase.RUNNING);
  const instance = { name: "web-1" };
  const { instance: running } = await compute.getInstance({ instance });
  deepStrictEqual([running?.placement?.node, running?.status?.node, running?.status?.restarts], [
    "n",
    "n",
    0,
  ]);
  await compute.pauseInstance({ instance });
  await until((phase) => phase === InstancePhase.PAUSED);
  await compute.resumeInstance({ instance });
  await until((phase) => phase === InstancePhase.RUNNING);
  await compute.stopInstance({ instance });
  await until((phase) => phase === InstancePhase.STOPPED);
  const { nodes } = await compute.explainPlacement({
    what: {
      case: "spec",
      value: { ...web("big"), resources: { cpuMillis: 9_000n, memoryMib: 1n, diskMib: 0n } },
    },
  });
  deepStrictEqual(nodes.map(({ node, filter }) => [node, filter]), [["n", "capacity"]]);
  match(nodes[0]?.reason ?? "", /has 3.9 CPUs of 4 CPUs free, 9 CPUs is asked for/);
  await compute.startInstance({ instance });
  await until((phase) => phase === InstancePhase.RUNNING);
  await compute.deleteInstance({ instance });
  strictEqual((await until((_, isDeleted) => isDeleted)).change.value, made.id);
  ended.abort();
  deepStrictEqual(bugs, []);
});

test("gRPC: lists come in pages, by project and by labels", async () => {
  await using cluster = await served();
  const { compute } = cluster;
  for (const name of ["web-1", "web-2", "web-3", "api-1"]) await compute.createInstance({ spec: web(name) });
  await compute.createInstance({ spec: { ...web("web-1"), project: "other" } });
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await compute.listInstances({
      project: "default",
      labels: { app: "web" },
      pageSize: 2,
      pageToken,
    });
    names.push(...page.instances.map(({ spec }) => spec!.name));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  deepStrictEqual(names.sort(), ["web-1", "web-2", "web-3"]);
  strictEqual((await compute.listInstances({})).instances.length, 5);
});

test("gRPC: what is wrong is told with its code and in words", async () => {
  await using cluster = await served();
  const { compute, bugs } = cluster;
  await compute.createInstance({ spec: web("web") });
  await rejects(
    compute.createInstance({ spec: web("web") }),
    failing("ALREADY_EXISTS", /There is an instance "web"/),
  );
  await rejects(compute.createInstance({}), failing("INVALID_ARGUMENT", /its spec is missing/));
  await rejects(
    compute.createInstance({ spec: { name: "x" } }),
    failing("INVALID_ARGUMENT", /what it is to run is missing/),
  );
  await rejects(
    compute.createInstance({ spec: web("No Name") }),
    failing("INVALID_ARGUMENT", /a name has 1 to 63/),
  );
  await rejects(compute.getInstance({}), failing("INVALID_ARGUMENT", /its name is missing/));
  await rejects(
    compute.stopInstance({ instance: { name: "none" } }),
    failing("NOT_FOUND", /no instance "none"/),
  );
  const late = compute.watchInstances({ afterRevision: 1n })[Symbol.asyncIterator]();
  await rejects(late.next(), failing("FAILED_PRECONDITION", /compacted, relist/));
  deepStrictEqual(bugs, []);
});
