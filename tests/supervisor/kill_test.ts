/** The promise of keepers: managers that are killed under load lose no child, no line and no exit code. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { kernelPathExists } from "../../ffi/files/mod.ts";
import { inspectInstance, LineAssembler } from "../../lib/keeper/mod.ts";
import { SegmentReader } from "../../lib/ring/mod.ts";
import { Ledger, type Place, wasEnded } from "../../lib/supervisor/mod.ts";
import { cgroupOwner, findHierarchies } from "../../lib/supervisor/cgroups.ts";
import { KILLED_SERVICES } from "./manager_child.ts";

const ROUNDS = Number(
  Deno.env.get("HOSTKIT_KILLS") ?? (Deno.env.get("HOSTKIT_SOAK") === undefined ? 10 : 50),
);
/** A manager lives at most so long before it is killed; it needs a third of it to begin. */
const LIFE_MS = 400;
const CHILD = new URL("./manager_child.ts", import.meta.url).pathname;

function startManager(folder: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", CHILD, folder, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Waits for the manager's word. */
async function isUp(manager: Deno.ChildProcess): Promise<void> {
  const reader = manager.stdout.getReader();
  const { value } = await reader.read();
  strictEqual(new TextDecoder().decode(value), "up\n");
  await reader.cancel();
}

/** Lines of a log; those of one that is being written until now. */
function linesOf(folder: string): string[] {
  using reader = SegmentReader.open(folder);
  const assembler = new LineAssembler();
  const lines: string[] = [];
  const tell = (entry: Parameters<Parameters<LineAssembler["take"]>[1]>[0]) => {
    if (entry.kind === "line") lines.push(entry.line.text);
    ok(entry.kind !== "event", Deno.inspect(entry));
  };
  for (
    let result = reader.read();
    result.kind !== "ended" && result.kind !== "empty";
    result = reader.read()
  ) {
    ok(result.kind === "records", result.kind);
    while (result.records.next()) assembler.take(result.records, tell);
  }
  return lines;
}

function check(name: string, place: Place): "live" | "ended" | "void" {
  const status = inspectInstance(place.folder);
  const where = `${name} ${place.kind} ${place.number}: ${Deno.inspect(status)}`;
  ok(status.kind !== "lost", where);
  if (status.kind === "void" || status.kind === "unborn") return "void";
  if (status.kind === "beginning") return "live";
  const lines = linesOf(place.folder);
  const code = /^exit (\d+)$/.exec(lines.at(-1) ?? "")?.[1];
  const numbers = (code === undefined ? lines : lines.slice(0, -1)).map(Number);
  // Once each and in order, from the oldest that retention keeps.
  const first = numbers[0] ?? 0;
  deepStrictEqual(numbers, numbers.map((_, at) => first + at), where);
  if (numbers.length * 24 < 2 ** 20) strictEqual(first, 0, where);
  if (status.kind !== "exited") return "live";
  if (code !== undefined) strictEqual(status.exit.code, Number(code), where);
  else ok(wasEnded(place) && status.exit.signal === 15, where);
  return "ended";
}

Deno.test(`a manager that is killed ${ROUNDS} times under load loses no child, no line and no exit code`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "kill-" });
  for (const delayMs of delays()) {
    const manager = startManager(folder);
    await pause(delayMs);
    manager.kill("SIGKILL");
    await manager.stdout.cancel();
    await manager.status;
  }
  await nothingIsLost(folder);
});

Deno.test(`a manager that is upgraded in place ${ROUNDS} times under load loses nothing either, and keeps its pid`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "kill-" });
  const manager = startManager(folder);
  const reader = manager.stdout.pipeThrough(new TextDecoderStream()).getReader();
  strictEqual((await reader.read()).value, "up\n");
  for (const delayMs of delays()) {
    await pause(delayMs / 4);
    manager.kill("SIGHUP");
    strictEqual((await reader.read()).value, "up\n");
  }
  manager.kill("SIGTERM");
  await reader.cancel();
  strictEqual((await manager.status).code, 0);
  await nothingIsLost(folder);
});

/** Looks at every instance that ever was, with a manager that runs, and again when all were stopped. */
async function nothingIsLost(folder: string): Promise<void> {
  const last = startManager(folder, "1");
  await isUp(last);
  const ledgers = KILLED_SERVICES.map((name) => [name, new Ledger(`${folder}/services/${name}`)] as const);
  for (const [name, ledger] of ledgers) {
    if (!name.startsWith("crash")) await untilOne(name, ledger);
  }
  const counts = Object.groupBy(
    ledgers.flatMap(([name, ledger]) =>
      [...ledger.places("run"), ...ledger.places("build")].map((place) => check(name, place))
    ),
    (kind) => kind,
  );
  // Enough for something to be lost; how many end depends on what else the machine does.
  ok((counts.ended?.length ?? 0) > ROUNDS / 4, `only ${counts.ended?.length} instances ended`);
  last.kill("SIGTERM");
  await last.status;

  const ending = startManager(folder, "1", "stop");
  await isUp(ending);
  await ending.status;
  for (const [name, ledger] of ledgers) {
    for (const place of [...ledger.places("run"), ...ledger.places("build")]) {
      ok(check(name, place) !== "live", name);
    }
  }
  strictEqual(await processesOf(folder), "", "keepers are left");
  const cgroups = findHierarchies().map(({ base }) => `${base}/hostkit/${cgroupOwner(folder)}`);
  deepStrictEqual(cgroups.filter(kernelPathExists), [], "cgroups are left");
  strictEqual(await Deno.readTextFile(`${folder}/events`).catch(() => ""), "", "nothing went wrong");
  await Deno.remove(folder, { recursive: true });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What was being ended or replaced when the manager was killed is gone soon; then one instance is left. */
async function untilOne(name: string, ledger: Ledger): Promise<void> {
  const limit = performance.now() + 20_000;
  const live = () => ledger.places("run").filter((place) => check(name, place) === "live").length;
  while (live() !== 1) {
    ok(performance.now() < limit, `${name} has ${live()} live instances`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function processesOf(folder: string): Promise<string> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-f", "--", `--folder ${folder}`] }).output();
  return new TextDecoder().decode(stdout);
}

/** A moment in the manager's life for each round, by mulberry32 from a seed that is told. */
function delays(): number[] {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  let state = seed;
  return Array.from({ length: ROUNDS }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * LIFE_MS;
  });
}
