/**
 * A Linux guest under QEMU's own emulation, with one of Debian's stock kernels: a busybox, libc, the packed tools and
 * the workload in memory. A shell line goes in over a virtio port and its output comes back.
 */
import { decodeSnapshot, type Snapshot } from "../../lib/metrics/mod.ts";
import type { AgentStatus } from "../../lib/telemetry/mod.ts";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { guestKernel, type GuestSuite, QEMU } from "../../lib/build/guest_kernel.ts";
import { makeMinimalRoot } from "../../lib/build/minimal_root.ts";
import { pack } from "../../lib/build/pack.ts";
import { ROOT } from "../../lib/build/paths.ts";
import { exec } from "../../lib/build/step.ts";
import { writeInitramfs } from "./initramfs.ts";

/** A guest that has not answered for so long hangs; the slowest line takes six seconds on a busy machine. */
const ANSWER_LIMIT_MS = 60_000;

/** Two disks of zeros, by serial number; reads of one sector of the second fail. */
export const DISK = "zeros";
export const FAULTY_DISK = "faulty";
export const BAD_SECTOR = 2048;
const DISK_BYTES = 64 << 20;

const AGENT_SOCKET = "/run/agent.sock";

/** A booted guest; disposing ends it. */
export class Guest implements AsyncDisposable {
  readonly #folder: string;
  readonly #qemu: Deno.ChildProcess;
  readonly #port: Deno.UnixConn;
  /** What the emulator says until it ends. */
  readonly #words: Promise<string>;
  #resources = new AsyncDisposableStack();
  #received = new Uint8Array();

  private constructor(folder: string, qemu: Deno.ChildProcess, port: Deno.UnixConn, words: Promise<string>) {
    this.#folder = folder;
    this.#qemu = qemu;
    this.#port = port;
    this.#words = words;
  }

  /** Boots the kernel of a suite; takes two to three seconds. What it made is gone again when it fails. */
  static async boot(suite: GuestSuite): Promise<Guest> {
    await using resources = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "hostkit-guest-" });
    resources.defer(() => Deno.remove(folder, { recursive: true }));
    await makeRoot(suite, `${folder}/root`);
    writeInitramfs(`${folder}/root`, `${folder}/initramfs`);
    await Deno.remove(`${folder}/root`, { recursive: true });
    using listener = Deno.listen({ transport: "unix", path: `${folder}/port` });
    const qemu = new Deno.Command(QEMU, {
      args: machine(guestKernel(suite).vmlinuz, folder),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    resources.defer(async () => {
      kill(qemu);
      await qemu.status;
    });
    // Read to its end, so that it never blocks; its words on the bad sector are of no interest.
    const words = new Response(qemu.stderr).text();
    const ended = qemu.status.then(async ({ code }): Promise<never> => {
      throw new Error(`Cannot boot a guest: the emulator ended with exit ${code}: ${await words}`);
    });
    const port = resources.use(await Promise.race([listener.accept(), ended]));
    ended.catch(() => "Told by the port, which is closed then.");
    const guest = new Guest(folder, qemu, port, words);
    await guest.#line();
    guest.#resources = resources.move();
    return guest;
  }

  /** Runs a shell line and returns its output. @throws {Error} With the output when it fails. */
  async run(line: string): Promise<string> {
    return new TextDecoder().decode(await this.bytes(line));
  }

  /** The same with the output as bytes. */
  async bytes(line: string): Promise<Uint8Array<ArrayBuffer>> {
    await this.#port.write(new TextEncoder().encode(`${line}\n`));
    const [code, length] = (await this.#line()).split(" ").map(Number) as [number, number];
    while (this.#received.length < length) await this.#receive();
    const output = this.#take(length);
    if (code !== 0) throw new Error(`In the guest "${line}" failed: exit ${code}\n${text(output)}`);
    return output;
  }

  /** Numbers that a line prints as `name value`. */
  async numbers(line: string): Promise<Record<string, number>> {
    const rows = (await this.run(line)).trim().split("\n").map((row) => row.split(" "));
    return Object.fromEntries(rows.map(([name, value]) => [name, Number(value)]));
  }

  /** The kernel's name of a disk, which depends on which one answers first. */
  async disk(serial: string): Promise<string> {
    const disks = "for d in /sys/block/nvme*; do echo $(cat $d/device/serial) ${d##*/}; done";
    const rows = (await this.run(disks)).trim().split("\n").map((row) => row.split(" "));
    return rows.find(([found]) => found === serial)![1]!;
  }

  /** Starts the packed agent with a configuration and waits until it listens. */
  async startAgent(toml: string): Promise<void> {
    const config = toml.split("\n").map((line) => `echo '${line}'`).join("; ");
    const agent = `/hostkit rezolus agent /run/agent.toml --listen '' --socket ${AGENT_SOCKET}`;
    const isReady = "grep -q listening /run/agent.log";
    await this.run(
      `rm -f /run/agent.*; { ${config}; } > /run/agent.toml; ` +
        `${agent} >/run/agent.log 2>&1 & echo $! > /run/agent.pid; ` +
        `until ${isReady}; do kill -0 $! || { cat /run/agent.log; exit 1; }; sleep 0.05; done`,
    );
  }

  /** Ends the agent and waits until it is gone. */
  async stopAgent(): Promise<void> {
    await this.run("p=$(cat /run/agent.pid); kill $p; while [ -d /proc/$p/fd ]; do sleep 0.05; done");
  }

  /** What the agent sees now. */
  async snapshot(): Promise<Snapshot> {
    return decodeSnapshot(await this.bytes(`workload get ${AGENT_SOCKET} /metrics/binary`));
  }

  async status(): Promise<AgentStatus> {
    return JSON.parse(await this.run(`workload get ${AGENT_SOCKET} /status`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async #line(): Promise<string> {
    const newline = 10;
    while (!this.#received.includes(newline)) await this.#receive();
    return text(this.#take(this.#received.indexOf(newline) + 1)).trimEnd();
  }

  #take(bytes: number): Uint8Array<ArrayBuffer> {
    const taken = this.#received.slice(0, bytes);
    this.#received = this.#received.slice(bytes);
    return taken;
  }

  /** Waits for bytes; a guest that has died or hangs is told with the end of its console. */
  async #receive(): Promise<void> {
    const buffer = new Uint8Array(1 << 16);
    const limit = setTimeout(() => kill(this.#qemu), ANSWER_LIMIT_MS);
    let count: number | null;
    try {
      count = await this.#port.read(buffer);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      count = null;
    } finally {
      clearTimeout(limit);
    }
    if (count === null) {
      const console = await Deno.readTextFile(`${this.#folder}/console`);
      kill(this.#qemu);
      throw new Error(
        `The guest has gone away: ${await this.#words}; its console ends with:\n${console.slice(-4000)}`,
      );
    }
    const joined = new Uint8Array(this.#received.length + count);
    joined.set(this.#received);
    joined.set(buffer.subarray(0, count), this.#received.length);
    this.#received = joined;
  }
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself, as it does after a panic.
    if (!(error instanceof TypeError)) throw error;
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/**
 * A PC with two CPUs; nothing of it is open to the host but the port and the console's file. QEMU 7.2 has two traps:
 * with a thread for each CPU a kernel that changes its own code may trap, and cmpxchg16b leaves wrong flags.
 */
function machine(vmlinuz: string, folder: string): string[] {
  const fault = { event: "none", iotype: "read", errno: 5, sector: BAD_SECTOR };
  const bad = Object.entries(fault).map(([key, value]) => `inject-error.0.${key}=${value}`).join(",");
  const zeros = (prefix: string) =>
    `${prefix}driver=null-co,${prefix}size=${DISK_BYTES},${prefix}read-zeroes=on`;
  return [
    ...["-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max,cx16=off", "-smp", "2", "-m", "1024"],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-kernel", vmlinuz, "-initrd", `${folder}/initramfs`, "-append", "console=ttyS0 panic=-1 quiet"],
    ...["-serial", `file:${folder}/console`],
    ...["-device", "virtio-serial-pci", "-chardev", `socket,id=port,path=${folder}/port`],
    ...["-device", "virtserialport,chardev=port"],
    ...["-blockdev", `node-name=zeros,${zeros("")}`, "-device", `nvme,drive=zeros,serial=${DISK}`],
    ...["-blockdev", `node-name=faulty,driver=blkdebug,${zeros("image.")},${bad}`],
    ...["-device", `nvme,drive=faulty,serial=${FAULTY_DISK}`],
  ];
}

async function makeRoot(suite: GuestSuite, root: string): Promise<void> {
  const { busybox, modules } = guestKernel(suite);
  await Deno.mkdir(root);
  await makeMinimalRoot(root);
  for (const folder of ["bin", "dev", "tmp", "modules"]) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  await Deno.copyFile(busybox, `${root}/bin/busybox`);
  await Deno.copyFile(`${ROOT}tests/guest/init.sh`, `${root}/init`);
  for (const program of ["bin/busybox", "init"]) await Deno.chmod(`${root}/${program}`, 0o755);
  for (const { name } of Deno.readDirSync(modules)) {
    await Deno.copyFile(`${modules}/${name}`, `${root}/modules/${name}`);
  }
  const flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s"];
  await exec("gcc", [...flags, `${ROOT}tests/guest/workload.c`, "-o", `${root}/bin/workload`]);
  await pack(root, { answers: await packedAnswers("test"), commit: "test", say: () => {} });
}
