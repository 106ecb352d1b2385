/** The driver "process": a program under a keeper. `freeze.ts` is how it is paused. @module */
import { DriverError } from "../driver.ts";
import type { ChildEnd, Ending, HeldRun, Hold, Home, Kind, Launch, SpecOf } from "../kept/mod.ts";
import { KeptDriver, type KeptOptions, limitsOf } from "../kept/mod.ts";
import type { DriverReport } from "../../model/node.ts";
import { brakeOf } from "./freeze.ts";

/** Where programs are looked for when an instance does not say. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const TERMINAL = { rows: 24, columns: 80 };
const NOT_RUN = 126;
const NOT_FOUND = 127;

/** Opens the driver with all that runs in its folder. @throws {BusyError} When another process has that. */
export function openProcessDriver(options: KeptOptions): Promise<KeptDriver<"process">> {
  return KeptDriver.open(PROCESS, options);
}

const PROCESS: Kind<"process"> = { kind: "process", probe, check, launch, hold, ending };

function probe(): Promise<DriverReport> {
  return Promise.resolve({ kind: "process", problem: null, accelerations: [] });
}

// deno-lint-ignore require-await -- what it throws is to be a rejection
async function check({ id, workload: { command, cwd, env } }: SpecOf<"process">): Promise<void> {
  const invalid = (text: string) => new DriverError("invalid", `Cannot create instance ${id}: ${text}`);
  if (command[0] === undefined || command[0] === "") throw invalid("its command is empty");
  if (cwd !== null && !cwd.startsWith("/")) throw invalid(`its folder "${cwd}" is not absolute`);
  const texts = [...command, ...Object.entries(env).flat(), cwd ?? ""];
  if (texts.some((text) => text.includes("\0"))) throw invalid("its command has a NUL");
  const name = Object.keys(env).find((name) => name === "" || name.includes("="));
  if (name !== undefined) throw invalid(`its environment has the name "${name}"`);
}

function launch({ workload, resources }: SpecOf<"process">, home: Home): Promise<Launch> {
  const { command, env, cwd, input } = workload;
  return Promise.resolve({
    command: { argv: command, env: { PATH, ...env }, cwd: cwd ?? home.data },
    // What the agent knows is none of its programs' business.
    keeper: { clearEnv: true, stdin: input === "terminal" ? TERMINAL : input ?? "null" },
    limits: limitsOf(resources),
  });
}

function hold({ run }: HeldRun<"process">): Promise<Hold> {
  const status = run.status();
  const brake = status.kind === "running" ? brakeOf(run.place.folder, status.pid) : undefined;
  let isPaused = brake?.isOn() ?? false;
  const set = async (on: boolean) => {
    await brake?.set(on);
    isPaused = on;
  };
  return Promise.resolve({
    get isPaused() {
      return isPaused;
    },
    pause: () => set(true),
    resume: () => set(false),
    async stop(graceMs) {
      await run.stop(graceMs);
      // It hears of its end when it goes on, and of nothing before.
      if (isPaused) await brake?.set(false);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

function ending(end: ChildEnd): Ending {
  if (end === undefined) {
    const reason = "its keeper was killed: how it ended nobody knows";
    return { isSuccess: false, code: null, signal: null, reason };
  }
  const { code, signal = null } = end;
  return { isSuccess: code === 0 && signal === null, code, signal, reason: reasonOf(code, signal) };
}

function reasonOf(code: number, signal: string | null): string {
  if (signal !== null) return `it was ended by ${signal}`;
  if (code === NOT_FOUND || code === NOT_RUN) return `it ended with code ${code}: see its log`;
  return `it ended with code ${code}`;
}
