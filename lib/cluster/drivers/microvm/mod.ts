/**
 * The driver "microvm": QEMU's `microvm` machine under a keeper, its serial port as console and log.
 *
 * Reading order: `command.ts` (QEMU's command line, pure), `qmp.ts` (its machine protocol), `hold.ts` (one that runs),
 * `probe.ts` (what a machine can do), `guest/` (the guest by which that is tried).
 * @module
 */
import { createHash } from "node:crypto";
import type { Acceleration, ImageRef } from "../../model/instance.ts";
import type { DriverReport } from "../../model/node.ts";
import { DriverError, type Identity } from "../driver.ts";
import {
  type ChildEnd,
  type Ending,
  type HeldRun,
  type Hold,
  type Home,
  KeptDriver,
  type KeptOptions,
  type Kind,
  lastErrors,
  type Launch,
  limitsOf,
  type SpecOf,
} from "../kept/mod.ts";
import { causeOf, QEMU_BYTES, qemuCommand } from "./command.ts";
import { MicrovmHold } from "./hold.ts";
import { probeMicrovm } from "./probe.ts";

export { tinyGuest, tryAcceleration } from "./probe.ts";
export { QmpClient, QmpError, type QmpEvent } from "./qmp.ts";

export interface MicrovmOptions extends KeptOptions {
  /** Path of an image that is there, checked. @throws {Error} When it is not. */
  readonly image: (image: ImageRef) => Promise<string>;
  /** Of the emulator; Debian's by default. */
  readonly qemu?: string;
}

const QEMU = "/usr/bin/qemu-system-x86_64";
const LEAST_MEMORY_MIB = 8;
/** Bytes of a unix socket's address without the NUL at its end. */
const ADDRESS_BYTES = 107;
const UUID_GROUPS = [8, 4, 4, 4, 12];

/** Opens the driver with all that runs in its folder. @throws {BusyError} When another process has that. */
export function openMicrovmDriver(options: MicrovmOptions): Promise<KeptDriver<"microvm">> {
  return KeptDriver.open(new Microvm(options), options);
}

class Microvm implements Kind<"microvm"> {
  readonly kind = "microvm";
  readonly #image: MicrovmOptions["image"];
  readonly #qemu: string;
  readonly #folder: string;
  #probed: Promise<DriverReport> | undefined;

  constructor({ folder, image, qemu = QEMU }: MicrovmOptions) {
    this.#folder = folder;
    this.#image = image;
    this.#qemu = qemu;
  }

  /** Once: a machine does not change while its agent runs. */
  probe(): Promise<DriverReport> {
    return this.#probed ??= probeMicrovm(this.#qemu, this.#folder);
  }

  // deno-lint-ignore require-await -- what it throws is to be a rejection
  async check({ id, resources, workload }: SpecOf<"microvm">, home: Home): Promise<void> {
    const invalid = (text: string) => new DriverError("invalid", `Cannot create instance ${id}: ${text}`);
    if (!(resources.memoryMib >= LEAST_MEMORY_MIB)) {
      throw invalid(`it has ${resources.memoryMib} MiB of memory, a guest needs ${LEAST_MEMORY_MIB}`);
    }
    if (workload.cmdline.includes("\0")) throw invalid("its command line has a NUL");
    const bytes = new TextEncoder().encode(qmpPath(home)).length;
    if (bytes > ADDRESS_BYTES) {
      throw invalid(`its socket's path has ${bytes} bytes, at most ${ADDRESS_BYTES}: ${qmpPath(home)}`);
    }
  }

  async launch(spec: SpecOf<"microvm">, home: Home): Promise<Launch> {
    const { id, name, resources, workload } = spec;
    const trace = tracePath(home);
    // That of the run before tells nothing of this one.
    Deno.writeTextFileSync(trace, "");
    const argv = qemuCommand({
      qemu: this.#qemu,
      acceleration: await this.#acceleration(id, workload.acceleration),
      resources,
      kernel: await this.#path(id, workload.kernel),
      initrd: workload.initrd === null ? null : await this.#path(id, workload.initrd),
      cmdline: workload.cmdline,
      ...{ name, uuid: uuidOf(spec), qmp: qmpPath(home), trace },
    });
    return {
      command: { argv, cwd: home.data },
      keeper: { clearEnv: true, stdin: "pipe" },
      limits: limitsOf(resources, QEMU_BYTES),
    };
  }

  hold(held: HeldRun<"microvm">): Promise<Hold> {
    return MicrovmHold.take(held, qmpPath(held.home), uuidOf(held.spec));
  }

  ending(end: ChildEnd, home: Home): Ending {
    const failed = (reason: string, signal: string | null = null): Ending => {
      return { isSuccess: false, code: null, signal, reason };
    };
    if (end === undefined) return failed("its keeper was killed: how it ended nobody knows");
    const { code, signal } = end;
    if (signal !== undefined) return failed(`QEMU was ended by ${signal}`, signal);
    if (code !== 0) return failed(`QEMU ended with code ${code}: see its log`);
    return {
      code: null,
      signal: null,
      ...causeOf(Deno.readTextFileSync(tracePath(home)), lastErrors(home.ledger)),
    };
  }

  async #acceleration(id: string, wanted: Acceleration | null): Promise<Acceleration> {
    const { problem, accelerations } = await this.probe();
    const found = wanted === null ? accelerations[0] : accelerations.find((each) => each === wanted);
    if (found !== undefined) return found;
    const text = problem ?? `this machine has no ${wanted} that is one, it has ${accelerations.join(", ")}`;
    throw new DriverError("failed", `Cannot start instance ${id}: ${text}`);
  }

  async #path(id: string, image: ImageRef): Promise<string> {
    try {
      return await this.#image(image);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DriverError("failed", `Cannot start instance ${id}: image "${image.name}": ${reason}`, {
        cause,
      });
    }
  }
}

function qmpPath({ folder }: Home): string {
  return `${folder}/qmp`;
}

function tracePath({ folder }: Home): string {
  return `${folder}/qemu.trace`;
}

/** By which a machine is known again: of an instance and of the placement that it is by. */
function uuidOf({ id, epoch }: Identity): string {
  const digest = createHash("sha256").update(`${id}/${epoch}`).digest("hex");
  let at = 0;
  return UUID_GROUPS.map((length) => digest.slice(at, at += length)).join("-");
}
