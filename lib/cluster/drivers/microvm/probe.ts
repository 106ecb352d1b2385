/** Which accelerations are one: the tiny guest is run under each, and has to work for a moment. @module */
import { assetPath } from "../../../../ffi/assets.ts";
import { guarded } from "../../../../ffi/keeper/mod.ts";
import { type Acceleration, ACCELERATIONS } from "../../model/instance.ts";
import type { DriverReport } from "../../model/node.ts";
import { existsSync } from "node:fs";
import { qemuCommand } from "./command.ts";

/** Of a guest that works for a moment; two million instructions of a kernel take TCG a millisecond. */
const WORK_LIMIT_MS = 500;
/** Until a guest says its first word; 20 ms where nothing else runs. */
const START_LIMIT_MS = 10_000;
const RESOURCES = { cpuMillis: 1_000, memoryMib: 16 };

/** What its lines say, in their order. */
const UP = "up ";
const READY = "ready\n";

/** The tiny guest, for tests and as a demonstration too. */
export function tinyGuest(): string {
  return assetPath("guest/tiny.elf");
}

/** Tries them all, one after the other: the fastest is the first of the report. */
export async function probeMicrovm(qemu: string, folder: string): Promise<DriverReport> {
  const cannot = (problem: string): DriverReport => ({ kind: "microvm", problem, accelerations: [] });
  if (!existsSync(qemu)) return cannot(`there is no "${qemu}"; install the package qemu-system-x86`);
  if (!existsSync(tinyGuest())) return cannot("it is for x86_64 machines, and this is none");
  const found: { readonly acceleration: Acceleration; readonly ms: number }[] = [];
  const problems: string[] = [];
  for (const acceleration of ACCELERATIONS) {
    const result = await tryAcceleration(qemu, acceleration, folder);
    if (typeof result === "number") found.push({ acceleration, ms: result });
    else problems.push(`${acceleration}: ${result}`);
  }
  if (found.length === 0) return cannot(`no acceleration works (${problems.join("; ")})`);
  const accelerations = found.sort((a, b) => a.ms - b.ms).map(({ acceleration }) => acceleration);
  return { kind: "microvm", problem: null, accelerations };
}

/**
 * In a folder that is there: milliseconds from its start until the guest has worked, or why it did not. That `/dev/kvm` is there says little: where
 * it emulates a kernel's instructions, a guest is up at once and then a thousand times slower than without it.
 */
export async function tryAcceleration(
  qemu: string,
  acceleration: Acceleration,
  parent: string,
): Promise<number | string> {
  // As all folders that come and go: one that is left is removed by the next driver.
  const folder = await Deno.makeTempDir({ dir: parent, prefix: ".probe-" });
  try {
    const command = qemuCommand({
      ...{ qemu, acceleration, resources: RESOURCES, kernel: tinyGuest(), initrd: null, cmdline: "" },
      ...{ name: "probe", uuid: crypto.randomUUID(), qmp: `${folder}/qmp`, trace: `${folder}/trace` },
    });
    // It ends with this process, however that does.
    const [program, ...args] = guarded(command, 0);
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" })
      .spawn();
    const words = new Response(child.stderr).text();
    try {
      return await measure(child.stdout) ?? firstLine(await words, "QEMU ended before the guest was up");
    } finally {
      kill(child);
      await Promise.all([child.status, words, child.stdout.cancel()]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Undefined when its words end before it is up. */
async function measure(words: ReadableStream<Uint8Array>): Promise<number | string | undefined> {
  const began = performance.now();
  const reader = words.getReader();
  const decoder = new TextDecoder();
  const late = Promise.withResolvers<string>();
  let timer = setTimeout(
    () => late.resolve(`a guest is not up in ${START_LIMIT_MS / 1_000} s`),
    START_LIMIT_MS,
  );
  let text = "";
  try {
    for (let isUp = false;;) {
      const read = await Promise.race([reader.read(), late.promise]);
      if (typeof read === "string") return read;
      if (read.done) return undefined;
      text += decoder.decode(read.value, { stream: true });
      if (text.includes(READY)) return performance.now() - began;
      if (isUp || !text.includes(UP)) continue;
      isUp = true;
      clearTimeout(timer);
      timer = setTimeout(
        () => late.resolve(`a guest needs more than ${WORK_LIMIT_MS} ms for what takes one: it is emulated`),
        WORK_LIMIT_MS,
      );
    }
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}

/** With all that it has started. */
function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGUSR1");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

function firstLine(text: string, otherwise: string): string {
  return text.split("\n").find((line) => line.trim() !== "") ?? otherwise;
}
