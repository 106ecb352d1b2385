/** `deno task soak [PART…]`: the long runs, each of which can be asked for alone. @module */
import { inFreshMachine, makeFreshMachine, processesIn } from "../../lib/build/fresh_machine.ts";
import { runShown, testCommand } from "../../lib/build/checks.ts";
import { GUEST_SUITES, guestSteps } from "../../lib/build/guest_kernel.ts";
import { BUILD } from "../../lib/build/paths.ts";
import { setUp } from "../../lib/build/setup.ts";
import { exec, exists, runSteps } from "../../lib/build/step.ts";

const LAP_RECORDS = "100000000";
const REPEATS = 10;
const FRESH_ROOT = `${BUILD}soak/root`;
const LOGS = `${BUILD}soak/`;
/** What a fresh machine with Node may take until the stack is up, packages included. */
const UP_LIMIT_MS = 10 * 60_000;
const END_LIMIT_MS = 30_000;

/** Each part throws what went wrong. */
const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  laps,
  fuzz,
  repeats,
  supervisor,
  nix,
  ichimi,
  cluster,
  guest,
  fresh,
};

export async function run(args: string[]): Promise<number> {
  const wrong = args.find((name) => !Object.hasOwn(PARTS, name));
  if (wrong !== undefined) {
    console.error(`soak: unknown part "${wrong}"; there are: ${Object.keys(PARTS).join(", ")}`);
    return 2;
  }
  await setUp("test", (line) => console.error(`setup: ${line}`));
  await Deno.mkdir(LOGS, { recursive: true });
  const failed: string[] = [];
  for (const name of args.length > 0 ? args : Object.keys(PARTS)) {
    const started = performance.now();
    try {
      await PARTS[name]!();
    } catch (error) {
      failed.push(name);
      console.error(`soak: ${name}: ${error instanceof Error ? error.message : error}`);
    }
    say(`${name}: ${failed.includes(name) ? "FAILED" : "ok"} after ${minutesSince(started)}`);
  }
  return failed.length === 0 ? 0 : 1;
}

/** A hostile writer laps readers. */
async function laps(): Promise<void> {
  await mustRun([Deno.execPath(), "run", "--allow-all", "tests/ring/soak_laps.ts", LAP_RECORDS]);
}

/** Every test with full counts of inputs. */
async function fuzz(): Promise<void> {
  await mustRun(testCommand("--parallel", "tests"), { HOSTKIT_SOAK: "1" });
}

/** Tests that fail now and then. */
async function repeats(): Promise<void> {
  for (let round = 1; round <= REPEATS; round++) {
    const started = performance.now();
    await mustRun(testCommand("--parallel", "tests"));
    say(`repeats: round ${round} of ${REPEATS}, ${minutesSince(started)}`);
  }
}

/** Tests of managers that are killed, and of all that is against them. */
const HOSTILE_TESTS = [
  "tests/supervisor/kill_test.ts",
  "tests/supervisor/hostile_test.ts",
  "tests/supervisor/front_test.ts",
  "tests/bpm/hostile_test.ts",
  "tests/bpm/hang_up_test.ts",
  "tests/keeper",
];

/** The promises of supervision, ten times in a row: managers are killed and upgraded 50 times in each round. */
async function supervisor(): Promise<void> {
  for (let round = 1; round <= REPEATS; round++) {
    const started = performance.now();
    await mustRun(testCommand(...HOSTILE_TESTS), { HOSTKIT_KILLS: "50" });
    say(`supervisor: round ${round} of ${REPEATS}, ${minutesSince(started)}`);
  }
}

/** Assistants, daemons and servers that die at work: ten times, with 50 kills in each. */
async function ichimi(): Promise<void> {
  for (let round = 1; round <= REPEATS; round++) {
    const started = performance.now();
    await mustRun(testCommand("tests/ichimi", "tests/mcp_proxy"), { HOSTKIT_KILLS: "50" });
    say(`ichimi: round ${round} of ${REPEATS}, ${minutesSince(started)}`);
  }
}

/** Logs in every damage, real Nix, daemons that are killed, clients that stop: ten times. */
async function nix(): Promise<void> {
  for (let round = 1; round <= REPEATS; round++) {
    const started = performance.now();
    await mustRun(testCommand("tests/nix", "tests/nix_btm"));
    say(`nix: round ${round} of ${REPEATS}, ${minutesSince(started)}`);
  }
}

/** Servers, stores and agents in a simulation, by 200 seeds. */
async function cluster(): Promise<void> {
  await mustRun(testCommand("tests/cluster/sim_test.ts"), { HOSTKIT_SEEDS: "200" });
}

/** The agent on the stock kernels of three Debian releases. */
async function guest(): Promise<void> {
  await runSteps(guestSteps(GUEST_SUITES), (line) => say(`guest: ${line}`));
  await mustRun(testCommand("tests/guest"), { HOSTKIT_SOAK: "1" });
}

/** The README's two commands on a Debian that has Node and nothing else. */
async function fresh(): Promise<void> {
  if (Deno.uid() !== 0) throw new Error("Cannot make a fresh machine: only root can");
  if (!exists("/usr/sbin/debootstrap")) {
    await exec("apt-get", ["-q", "install", "-y", "--no-install-recommends", "debootstrap"], {
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
  }
  const left = await processesIn(FRESH_ROOT);
  if (left.length > 0) throw new Error(`Cannot replace ${FRESH_ROOT}: it is in use by ${left.join(", ")}`);
  if (exists(FRESH_ROOT)) await exec("rm", ["-rf", "--one-file-system", FRESH_ROOT]);
  let started = performance.now();
  await makeFreshMachine(FRESH_ROOT);
  say(`fresh: made the machine in ${minutesSince(started)}`);
  const deno = `npx -y deno@${Deno.version.deno} task`;

  started = performance.now();
  await upAndDown(`${deno} up`, () => say(`fresh: up after ${minutesSince(started)}`));
  started = performance.now();
  await upAndDown(`${deno} up`, () => say(`fresh: up again after ${minutesSince(started)}`));

  started = performance.now();
  const child = inFreshMachine(FRESH_ROOT, `${deno} test`).spawn();
  const [out, { code }] = await Promise.all([keepLog(child, "fresh-test.log"), child.status]);
  const closing = /^\d+ passed, \d+ failed, \d+ skipped$/m.exec(out)?.[0] ?? "no closing line";
  say(`fresh: test after ${minutesSince(started)}: ${closing}`);
  await mustBeEmpty();
  if (code !== 0) throw new Error(`the tests failed on the fresh machine, see ${LOGS}fresh-test.log`);
  // One that failed stays to be looked at, until the next run.
  await exec("rm", ["-rf", "--one-file-system", FRESH_ROOT]);
}

/** Starts the stack, waits for its board, interrupts it as a terminal does, and sees that nothing is left. */
async function upAndDown(command: string, onUp: () => void): Promise<void> {
  const child = inFreshMachine(FRESH_ROOT, command).spawn();
  const isUp = Promise.withResolvers<boolean>();
  const limit = setTimeout(() => isUp.resolve(false), UP_LIMIT_MS);
  const log = keepLog(
    child,
    "fresh-up.log",
    (text) => text.includes("all is up: open") && isUp.resolve(true),
  );
  const ended = child.status.then(({ code }) => (isUp.resolve(false), code));
  const came = await isUp.promise;
  clearTimeout(limit);
  if (came) onUp();
  const endGroup = (signal: string) => exec("kill", ["-s", signal, "--", `-${child.pid}`]);
  await endGroup("INT").catch(() => "It has ended by itself, which is told below.");
  const kill = setTimeout(() => void endGroup("KILL"), END_LIMIT_MS);
  await Promise.all([ended, log]);
  clearTimeout(kill);
  await mustBeEmpty();
  if (!came) throw new Error(`"${command}" did not come up, see ${LOGS}fresh-up.log`);
}

async function mustBeEmpty(): Promise<void> {
  const left = await processesIn(FRESH_ROOT);
  if (left.length > 0) throw new Error(`processes are left: ${left.join(", ")}`);
}

/** Writes what a child says into a log and returns its standard output. */
async function keepLog(
  child: Deno.ChildProcess,
  name: string,
  listen: (text: string) => void = () => {},
): Promise<string> {
  using file = await Deno.open(LOGS + name, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  const keep = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let text = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      file.writeSync(encoder.encode(chunk));
      text += chunk;
      listen(text);
    }
    return text;
  };
  const [out] = await Promise.all([keep(child.stdout), keep(child.stderr)]);
  return out;
}

async function mustRun(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const code = await runShown(command, env);
  if (code !== 0) throw new Error(`${command.slice(1).join(" ")}: exit ${code}`);
}

function say(line: string): void {
  console.log(`soak: ${line}`);
}

function minutesSince(started: number): string {
  const seconds = (performance.now() - started) / 1000;
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`;
}
