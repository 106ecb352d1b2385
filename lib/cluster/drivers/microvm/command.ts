/** QEMU's command line for a microvm. Pure. @module */
import type { Acceleration, Resources } from "../../model/instance.ts";

/** What one guest needs. */
export interface Machine {
  /** Of the emulator. */
  readonly qemu: string;
  readonly acceleration: Acceleration;
  readonly resources: Pick<Resources, "cpuMillis" | "memoryMib">;
  /** Paths. */
  readonly kernel: string;
  readonly initrd: string | null;
  readonly cmdline: string;
  readonly name: string;
  readonly uuid: string;
  /** Where QEMU listens. */
  readonly qmp: string;
  /** Where QEMU writes why it ends. */
  readonly trace: string;
}

/** The event by which QEMU tells why it ends (QEMU softmmu/trace-events). */
const END_EVENT = "qemu_system_shutdown_request";

/** Without a bound QEMU takes up to 1 GiB for what it has translated. */
const TRANSLATED_MIB = 64;
const ACCELERATORS: Readonly<Record<Acceleration, string>> = {
  tcg: `tcg,tb-size=${TRANSLATED_MIB}`,
  kvm: "kvm",
};

/** Under TCG's `max` Linux 6.1 waits for a clock by which it could measure the one of that processor: there is none. */
const CPUS: Readonly<Record<Acceleration, string>> = { tcg: "qemu64", kvm: "host" };

/** What QEMU needs beside the guest's memory, at most. */
export const QEMU_BYTES = (TRANSLATED_MIB + 128) * 2 ** 20;

/**
 * The machine has the old clocks, which Linux waits for, no option ROMs and no disks; its serial port is QEMU's standard
 * input and output. A reset ends it: whether it is started again is not QEMU's to decide.
 */
export function qemuCommand(machine: Machine): [string, ...string[]] {
  const { qemu, acceleration, resources, kernel, initrd, cmdline, name, uuid, qmp, trace } = machine;
  return [
    qemu,
    ...["-M", "microvm,x-option-roms=off,isa-serial=on,rtc=on,pic=on,pit=on"],
    ...["-accel", ACCELERATORS[acceleration], "-cpu", CPUS[acceleration]],
    ...["-m", `${resources.memoryMib}M`, "-smp", `${cpuCount(resources.cpuMillis)}`],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...["-chardev", `socket,id=qmp,path=${escaped(qmp)},server=on,wait=off`],
    ...["-mon", "chardev=qmp,mode=control"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...["-trace", END_EVENT, "-D", trace],
    ...["-name", escaped(name), "-uuid", uuid],
    ...["-kernel", kernel, "-append", cmdline],
    ...(initrd === null ? [] : ["-initrd", initrd]),
  ];
}

/** Of a machine that may use so much; the rest of a CPU is one too. */
export function cpuCount(cpuMillis: number): number {
  return Math.max(1, Math.ceil(cpuMillis / 1_000));
}

/** A comma begins QEMU's next option. */
function escaped(value: string): string {
  return value.replaceAll(",", ",,");
}

/** What QEMU's reasons mean (QEMU qapi/run-state.json, ShutdownCause), by their numbers in 7.2. */
const CAUSES: Readonly<Record<number, string>> = {
  1: "QEMU ended it after an error",
  2: "it was ended by QMP",
  4: "it was ended by a signal",
  6: "the guest was shut down",
  8: "the guest's kernel panicked",
};
const GUEST_SHUTDOWN = 6;

/**
 * Why a QEMU ended whose exit code was 0, by what it traced, and what it wrote to its standard error. Of what is neither
 * is a reset left: a guest that restarts, or crashes so that its processor does.
 */
export function causeOf(
  trace: string,
  errors: string,
): { readonly isSuccess: boolean; readonly reason: string } {
  const numbers = [...trace.matchAll(new RegExp(`${END_EVENT} reason=(\\d+)`, "g"))].map(([, each]) =>
    Number(each)
  );
  const cause = numbers.at(-1);
  const signal = /terminating on signal (\d+)/.exec(errors)?.[1];
  if (signal !== undefined) return { isSuccess: false, reason: `QEMU was ended by signal ${signal}` };
  if (cause === undefined) return { isSuccess: false, reason: "the guest was reset" };
  return {
    isSuccess: cause === GUEST_SHUTDOWN,
    reason: CAUSES[cause] ?? `QEMU ended it for its reason ${cause}`,
  };
}
