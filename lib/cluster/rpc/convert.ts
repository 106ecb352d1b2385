/** Messages of the contracts as what the cluster works with, and back. Pure. @module */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { NewInstance } from "../control/compute.ts";
import { ClusterError } from "../control/errors.ts";
import type {
  Constraints,
  Instance,
  InstancePhase,
  InstanceStatus,
  LostPolicy,
  Power,
  Resources,
  Restart,
  Workload,
} from "../model/instance.ts";
import {
  Acceleration as AccelerationMessage,
  ConsoleInput,
  type Constraints as ConstraintsMessage,
  InstancePhase as PhaseMessage,
  type InstanceSchema,
  type InstanceSpec,
  type InstanceSpecSchema,
  LostPolicy as LostMessage,
  Power as PowerMessage,
  type Resources as ResourcesMessage,
  RestartPolicy as RestartMessage,
} from "../proto/instance_generated.ts";

const POWERS: Readonly<Record<PowerMessage, Power>> = {
  [PowerMessage.UNSPECIFIED]: "running",
  [PowerMessage.RUNNING]: "running",
  [PowerMessage.PAUSED]: "paused",
  [PowerMessage.STOPPED]: "stopped",
};
const RESTARTS: Readonly<Record<RestartMessage, Restart>> = {
  [RestartMessage.UNSPECIFIED]: "on_failure",
  [RestartMessage.ALWAYS]: "always",
  [RestartMessage.ON_FAILURE]: "on_failure",
  [RestartMessage.NEVER]: "never",
};
const LOSTS: Readonly<Record<LostMessage, LostPolicy>> = {
  [LostMessage.UNSPECIFIED]: "restart",
  [LostMessage.RESTART]: "restart",
  [LostMessage.KEEP]: "keep",
  [LostMessage.STOP]: "stop",
};
const PHASES: Readonly<Record<InstancePhase, PhaseMessage>> = {
  creating: PhaseMessage.CREATING,
  starting: PhaseMessage.STARTING,
  running: PhaseMessage.RUNNING,
  paused: PhaseMessage.PAUSED,
  stopping: PhaseMessage.STOPPING,
  stopped: PhaseMessage.STOPPED,
  failed: PhaseMessage.FAILED,
  gone: PhaseMessage.GONE,
};

/** What is reserved for an instance that does not say. */
const DEFAULT_RESOURCES: Resources = { cpuMillis: 100, memoryMib: 128, diskMib: 0 };

/** @throws {ClusterError} When it has no workload. */
export function newInstanceOf(spec: InstanceSpec | undefined): NewInstance {
  if (spec === undefined) throw new ClusterError("Cannot create an instance: its spec is missing", "invalid");
  return {
    name: spec.name,
    project: spec.project || "default",
    labels: spec.labels,
    workload: workloadOf(spec),
    resources: spec.resources === undefined ? DEFAULT_RESOURCES : resourcesOf(spec.resources),
    power: POWERS[spec.power] ?? "running",
    restart: RESTARTS[spec.restart] ?? "on_failure",
    lost: LOSTS[spec.lost] ?? "restart",
    constraints: constraintsOf(spec.constraints),
    autostart: spec.autostart,
  };
}

/** @param revision Of its last change. */
export function instanceMessage(
  instance: Instance,
  status: InstanceStatus | undefined,
  revision: number,
): MessageInitShape<typeof InstanceSchema> {
  const { id, generation, placement, isDeleting, createdAt } = instance;
  return {
    id,
    spec: specMessage(instance),
    generation: BigInt(generation),
    ...placement === null ? {} : { placement: { node: placement.node, epoch: BigInt(placement.epoch) } },
    deleting: isDeleting,
    createdAt: timestampFromDate(new Date(createdAt)),
    // What was seen of a placement before this one is of the past.
    ...status === undefined || status.epoch !== placement?.epoch ? {} : { status: statusMessage(status) },
    revision: BigInt(revision),
  };
}

function specMessage(instance: Instance): MessageInitShape<typeof InstanceSpecSchema> {
  const { name, project, labels, workload, resources, power, restart, lost, constraints, autostart } =
    instance;
  return {
    name,
    project,
    labels,
    workload: workloadMessage(workload),
    resources: {
      cpuMillis: BigInt(resources.cpuMillis),
      memoryMib: BigInt(resources.memoryMib),
      diskMib: BigInt(resources.diskMib),
    },
    power: numberOf(POWERS, power),
    restart: numberOf(RESTARTS, restart),
    lost: numberOf(LOSTS, lost),
    constraints: {
      nodeLabels: constraints.nodeLabels,
      zones: [...constraints.zones],
      tolerations: [...constraints.tolerations],
      near: constraints.near ?? {},
      apart: constraints.apart ?? {},
      ...constraints.node === null ? {} : { node: constraints.node },
    },
    autostart,
  };
}

function statusMessage(status: InstanceStatus) {
  const { phase, reason, node, epoch, generation, pid, exitCode, restarts, since } = status;
  return {
    phase: PHASES[phase],
    ...reason === null ? {} : { reason },
    node,
    epoch: BigInt(epoch),
    generation: BigInt(generation),
    ...pid === null ? {} : { pid: BigInt(pid) },
    ...exitCode === null ? {} : { exitCode },
    restarts,
    since: timestampFromDate(new Date(since)),
  };
}

function workloadOf({ name, workload }: InstanceSpec): Workload {
  switch (workload.case) {
    case "process": {
      const { command: [program, ...args], env, cwd, input } = workload.value;
      const from = input === ConsoleInput.PIPE
        ? "pipe"
        : input === ConsoleInput.TERMINAL
        ? "terminal"
        : undefined;
      return {
        driver: "process",
        command: [program ?? "", ...args],
        env,
        cwd: cwd ?? null,
        ...from === undefined ? {} : { input: from },
      };
    }
    case "microvm": {
      const { kernel, initrd, cmdline, acceleration } = workload.value;
      if (kernel === undefined) {
        throw new ClusterError(`Cannot create "${name}": its kernel is missing`, "invalid");
      }
      const { TCG, KVM } = AccelerationMessage;
      return {
        driver: "microvm",
        kernel: { name: kernel.name, sha256: kernel.sha256 },
        initrd: initrd === undefined ? null : { name: initrd.name, sha256: initrd.sha256 },
        cmdline,
        acceleration: acceleration === TCG ? "tcg" : acceleration === KVM ? "kvm" : null,
      };
    }
    case undefined:
      throw new ClusterError(
        `Cannot create "${name}": what it is to run is missing, process or microvm`,
        "invalid",
      );
    default:
      return workload satisfies never;
  }
}

function workloadMessage(
  workload: Workload,
): NonNullable<MessageInitShape<typeof InstanceSpecSchema>["workload"]> {
  switch (workload.driver) {
    case "process": {
      const { command, env, cwd, input } = workload;
      return {
        case: "process",
        value: {
          command: [...command],
          env,
          ...cwd === null ? {} : { cwd },
          input: input === undefined
            ? ConsoleInput.UNSPECIFIED
            : input === "pipe"
            ? ConsoleInput.PIPE
            : ConsoleInput.TERMINAL,
        },
      };
    }
    case "microvm": {
      const { kernel, initrd, cmdline, acceleration } = workload;
      const { UNSPECIFIED, TCG, KVM } = AccelerationMessage;
      return {
        case: "microvm",
        value: {
          kernel,
          ...initrd === null ? {} : { initrd },
          cmdline,
          acceleration: acceleration === null ? UNSPECIFIED : acceleration === "tcg" ? TCG : KVM,
        },
      };
    }
    default:
      return workload satisfies never;
  }
}

function resourcesOf({ cpuMillis, memoryMib, diskMib }: ResourcesMessage): Resources {
  return { cpuMillis: Number(cpuMillis), memoryMib: Number(memoryMib), diskMib: Number(diskMib) };
}

function constraintsOf(given: ConstraintsMessage | undefined): Constraints {
  const { nodeLabels = {}, zones = [], tolerations = [], near = {}, apart = {}, node } = given ?? {};
  const labels = (all: Readonly<Record<string, string>>) => Object.keys(all).length === 0 ? null : all;
  return { nodeLabels, zones, tolerations, near: labels(near), apart: labels(apart), node: node ?? null };
}

/** The last of those that mean the same: the first is what an unspecified one means. */
function numberOf<N extends number, T>(words: Readonly<Record<N, T>>, word: T): N {
  const found = Object.entries(words).findLast(([, each]) => each === word);
  return Number(found![0]) as N;
}
