/** The service of instances: what is asked over the network, given to whoever does it. @module */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Compute } from "../control/compute.ts";
import type { Controller } from "../control/controller.ts";
import { ClusterError } from "../control/errors.ts";
import type { Instance, Power } from "../model/instance.ts";
import type { Keys } from "../model/keys.ts";
import {
  type ComputeService,
  type InstanceRef,
  type ListInstancesRequest,
  type ListInstancesResponseSchema,
  type WatchInstancesRequest,
  type WatchInstancesResponseSchema,
} from "../proto/compute_generated.ts";
import { whyNot } from "../schedule/mod.ts";
import { instanceMessage, newInstanceOf } from "./convert.ts";
import type { Handlers } from "./grpc.ts";

/** What the service works with. */
export interface ComputeServiceParts {
  readonly compute: Compute;
  readonly controller: Controller;
  readonly keys: Keys;
}

const PAGE = 100;
const LONGEST_PAGE = 1_000;

interface Asked {
  readonly instance?: InstanceRef | undefined;
  readonly idempotencyKey: string;
}

export function computeService(
  parts: ComputeServiceParts,
): Handlers<typeof ComputeService> {
  const { compute, controller, keys } = parts;
  const { state } = controller;
  const shown = (instance: Instance) => {
    const revision = state.instances.revisionOf(keys.instance(instance.id)) ?? 0;
    return instanceMessage(instance, state.status(instance.id), revision);
  };
  const setPower = async ({ instance, idempotencyKey: key }: Asked, power: Power) => {
    const { name, project } = refOf(instance);
    return { instance: shown(await compute.setPower(name, power, { project, ...keyOf(key) })) };
  };
  return {
    createInstance: async ({ spec, idempotencyKey: key }) => ({
      instance: shown(await compute.create(newInstanceOf(spec), keyOf(key))),
    }),
    async getInstance({ instance }) {
      const { name, project } = refOf(instance);
      return { instance: shown(await compute.get(name, project)) };
    },
    // deno-lint-ignore require-await -- what it throws is to be a rejection
    listInstances: async (request) => list(parts, request, shown),
    watchInstances: (request, { signal }) => watch(parts, request, signal, shown),
    startInstance: (request) => setPower(request, "running"),
    stopInstance: (request) => setPower(request, "stopped"),
    pauseInstance: (request) => setPower(request, "paused"),
    resumeInstance: (request) => setPower(request, "running"),
    async deleteInstance({ instance, idempotencyKey: key }) {
      const { name, project } = refOf(instance);
      return { instance: shown(await compute.delete(name, { project, ...keyOf(key) })) };
    },
    async explainPlacement({ what }) {
      const instance = what.case === "instance"
        ? await compute.get(what.value.name, what.value.project || "default")
        : compute.drafted(newInstanceOf(what.value));
      const nodes = [...whyNot(state.snapshot(), instance)].map(([node, refused]) => ({ node, ...refused }));
      return { nodes };
    },
  };
}

function refOf(ref: InstanceRef | undefined): { readonly name: string; readonly project: string } {
  if (ref === undefined || ref.name === "") {
    throw new ClusterError("Say which instance: its name is missing", "invalid");
  }
  return { name: ref.name, project: ref.project || "default" };
}

function keyOf(key: string): { readonly key?: string } {
  return key === "" ? {} : { key };
}

type Shown = (instance: Instance) => ReturnType<typeof instanceMessage>;

/** In the order of their ids; the token is the last one's. */
function list(
  { controller: { state } }: ComputeServiceParts,
  { project, labels, pageSize, pageToken }: ListInstancesRequest,
  shown: Shown,
): MessageInitShape<typeof ListInstancesResponseSchema> {
  const limit = pageSize === 0 ? PAGE : Math.min(pageSize, LONGEST_PAGE);
  const wanted = Object.entries(labels);
  const meant = [...state.instances.values.values()]
    .filter((each) => project === undefined || each.project === project)
    .filter((each) => wanted.every(([name, value]) => each.labels[name] === value))
    .filter(({ id }) => id > pageToken)
    .sort((a, b) => a.id < b.id ? -1 : 1);
  const page = meant.slice(0, limit);
  return {
    instances: page.map(shown),
    nextPageToken: meant.length > limit ? page.at(-1)!.id : "",
    revision: BigInt(state.instances.revision),
  };
}

type Told = MessageInitShape<typeof WatchInstancesResponseSchema>;

/** From the state that this server has: a watch behind what it knows begins with all of it. */
async function* watch(
  { controller: { state }, keys }: ComputeServiceParts,
  { project, afterRevision }: WatchInstancesRequest,
  signal: AbortSignal,
  shown: Shown,
): AsyncGenerator<Told> {
  const isMeant = (instance: Instance | undefined): instance is Instance =>
    instance !== undefined && (project === undefined || instance.project === project);
  if (afterRevision !== undefined && Number(afterRevision) !== state.instances.revision) {
    throw new ClusterError(`Cannot watch from revision ${afterRevision}: compacted, relist`, "conflict");
  }
  const waiting: Told[] = [];
  let wake = Promise.withResolvers<void>();
  const tell = (told: Told) => {
    waiting.push(told);
    wake.resolve();
  };
  const revision = () => BigInt(Math.max(state.instances.revision, state.statuses.revision));
  const changed = (instance: Instance) =>
    tell({ revision: revision(), change: { case: "changed", value: shown(instance) } });
  const stops = [
    state.instances.listen((changes) => {
      for (const { key, before, now } of changes) {
        if (isMeant(now)) changed(now);
        else if (now === undefined && isMeant(before)) {
          tell({ revision: revision(), change: { case: "deleted", value: keys.idOf(key) } });
        }
      }
    }),
    state.statuses.listen((changes) => {
      for (const { key } of changes) {
        const instance = state.instance(keys.idOf(key));
        if (isMeant(instance)) changed(instance);
      }
    }),
  ];
  const leave = () => wake.resolve();
  signal.addEventListener("abort", leave, { once: true });
  try {
    if (afterRevision === undefined) {
      for (const instance of state.instances.values.values()) if (isMeant(instance)) changed(instance);
      tell({ revision: revision(), change: { case: "listed", value: true } });
    }
    while (!signal.aborted) {
      while (waiting.length > 0) yield waiting.shift()!;
      await wake.promise;
      wake = Promise.withResolvers();
    }
  } finally {
    signal.removeEventListener("abort", leave);
    stops.forEach((stop) => stop());
  }
}
