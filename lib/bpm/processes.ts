/** What a process of `.mcp-run` is to the supervisor. @module */
import { addressText } from "../../ffi/sockets/mod.ts";
import type {
  Limits,
  ListenSpec,
  Policy,
  Probe,
  Schedule,
  ServiceSpec,
  WatchSpec,
} from "../supervisor/mod.ts";
import { type CargoTarget, cargoTarget } from "./cargo.ts";
import type { BpmConfig, ProcessConfig } from "./config.ts";
import { dependencyOf } from "./dependency.ts";
import { Environment } from "./environment.ts";
import { expandTexts } from "./expand.ts";
import { compilePattern } from "./log_search.ts";
import { processProblem } from "./process_problem.ts";
import { identityOf } from "./identity.ts";
import type { Ports } from "./ports.ts";
import type { Mode } from "./status_text.ts";
import { hostAndPort, rlimitOf } from "./values.ts";

/** What processes of one project share. */
export interface ProjectContext {
  /** Absolute. */
  readonly folder: string;
  readonly config: BpmConfig;
  /** `.envrc` is there: everything is run in what it sets. */
  readonly direnv: boolean;
  readonly mode: () => Mode;
  /** The project's own settings at the time of a decision: they may have been read anew. */
  readonly settings: () => BpmConfig;
  readonly ports: Ports;
  /** Values that are masked. */
  readonly secrets: Set<string>;
}

/** A service, and what is known of it beside. */
export interface Process {
  readonly spec: ServiceSpec;
  /** Name in the file; replicas share it. */
  readonly name: string;
  readonly config: ProcessConfig;
  readonly groups: readonly string[];
  /** Whether it starts with the manager. */
  readonly autostart: boolean;
  /** Where to look at it. */
  readonly url: string | undefined;
  readonly environment: Environment;
  /** What it was made of: it has changed when this has. */
  readonly source: string;
}

const MIB = 2 ** 20;
/** Upstream's factor between waits, which it rounds down to whole seconds. */
const BACKOFF = { factor: 1.5, stepMs: 1_000 };
/** Upstream never forgets a crash but by a restart that is asked for; a day later nobody would wait 300 s for it. */
const HEALTHY_AFTER_MS = 600_000;
const SEGMENT_BYTES = 256 * 1024;
const TERMINAL = { rows: 24, columns: 80 };

/** All services of a project, in the order of its file. @throws {SyntaxError | RangeError} When something makes no sense. */
export function processesOf(project: ProjectContext): Process[] {
  const processes = Object.keys(project.config.process).flatMap((name) => {
    const config = project.config.process[name]!;
    return replicaNames(name, config).map((replica, at) => processOf({ name, replica, at }, project));
  });
  const names = processes.map(({ spec }) => spec.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new RangeError(`Cannot name a process "${twice}": a replica has that name`);
  return processes;
}

function replicaNames(name: string, { replicas }: ProcessConfig): string[] {
  return replicas === 1 ? [name] : Array.from({ length: replicas }, (_, at) => `${name}.${at + 1}`);
}

function processOf(
  { name, replica, at }: { readonly name: string; readonly replica: string; readonly at: number },
  project: ProjectContext,
): Process {
  const written = project.config.process[name]!;
  const config = written.expand ? expanded(name, written) : written;
  const { identity, env: userEnv } = identityOf(config);
  const numbered = config.replicas === 1 ? {} : { REPLICA: `${at + 1}` };
  const { folder, secrets } = project;
  const environment = new Environment(config, { folder, secrets, own: { ...userEnv, ...numbered } });
  environment.read(); // What is wrong with its files is said now.
  const listen = config.listen === undefined ? undefined : listenOf(config, config.listen, at);
  const context = {
    ...project,
    environment,
    service: replica,
    at,
    cwd: inFolder(folder, config.cwd),
  };
  const isJob = config.schedule.cron !== undefined || config.schedule.every !== undefined;
  const readiness = probeOf(config.ready, context);
  const liveness = probeOf(config.live, context);
  const spec: ServiceSpec = {
    name: replica,
    ...(config.type === "rust" ? rust(config, context) : plain(config, context)),
    dependsOn: Object.entries(config.depends_on).flatMap(([other, condition]) => {
      const names = replicaNames(other, project.config.process[other] ?? config);
      return names.map((each) =>
        dependencyOf(project.config.process[other] === undefined ? other : each, condition)!
      );
    }),
    ...(readiness === undefined ? {} : { readiness }),
    ...(liveness === undefined ? {} : { liveness }),
    policy: () => policyOf(config, project, isJob),
    ...(listen === undefined ? {} : { listen }),
    lifetime: config.lifetime,
    limits: limitsOf(config.limits),
    retention: { count: project.config.log_instances, bytes: project.config.log_total_mib * MIB },
    stopSignal: config.stop_signal,
    ...scheduleOf(config.schedule),
    ...watchOf(config.watch, folder),
    keeper: {
      stdin: config.tty ? TERMINAL : config.stdin ? "pipe" : "null",
      overflow: config.when_full,
      segmentBytes: SEGMENT_BYTES,
      retainBytes: project.config.log_mib * MIB,
      rlimits: Object.fromEntries(
        Object.entries(config.rlimits).map(([key, text]) => [key, rlimitOf(text)!]),
      ),
      ...identity,
      ...(config.umask === undefined ? {} : { umask: parseInt(config.umask, 8) }),
      ...(config.nice === undefined ? {} : { nice: config.nice }),
    },
  };
  return {
    spec,
    name,
    config,
    groups: config.groups,
    autostart: config.autostart ?? !isJob,
    url: config.url ??
      (listen?.protocol === "http" ? `http://${addressText(listen)}` : undefined),
    environment,
    source: JSON.stringify([config, folder, project.direnv, projectKeys(project.config)]),
  };
}

/** The settings with what the environment says in their texts, which have to make sense too. */
function expanded(name: string, written: ProcessConfig): ProcessConfig {
  const config = { ...expandTexts(written, Deno.env.toObject()), expand: false };
  const problem = processProblem(name, config);
  if (problem === undefined) return config;
  throw new SyntaxError(`Cannot make process "${name}": expanded, it ${problem}`);
}

/** What of the project's own settings goes into each process. */
function projectKeys({ log_instances, log_mib, log_total_mib }: BpmConfig): unknown {
  return [log_instances, log_mib, log_total_mib];
}

/** What the making of a command needs. */
interface ProcessContext extends ProjectContext {
  readonly environment: Environment;
  readonly service: string;
  /** Which of the replicas it is, from 0. */
  readonly at: number;
  readonly cwd: string;
}

function policyOf(
  config: ProcessConfig,
  { settings, mode }: ProjectContext,
  isJob: boolean,
): Partial<Policy> {
  const project = settings();
  const { first, factor, max, jitter } = config.backoff;
  const isOwn = first !== undefined || factor !== undefined || max !== undefined;
  return {
    restart: (config.restart ?? (isJob ? "never" : "always")) as Policy["restart"],
    backoff: {
      ...(isOwn ? { factor: factor ?? 2 } : BACKOFF),
      firstMs: first ?? project.release_crash_backoff_initial_seconds * 1_000,
      maxMs: max ?? project.release_crash_backoff_max_seconds * 1_000,
      ...(mode() === "dev" && !isOwn ? { onceMs: project.dev_crash_wait_seconds * 1_000 } : {}),
      ...(jitter === undefined ? {} : { jitterRatio: jitter }),
    },
    healthyAfterMs: config.healthy_after ?? HEALTHY_AFTER_MS,
    ...(config.overlap === undefined ? {} : { overlap: config.overlap }),
    ...(config.max_failures === undefined ? {} : { maxFailures: config.max_failures }),
    ...(config.grace === undefined ? {} : { graceMs: config.grace }),
    ...(config.ready_within === undefined ? {} : { readyWithinMs: config.ready_within }),
  };
}

/** Built in the mode of the moment, and run from where cargo has put it. */
function rust(config: ProcessConfig, context: ProcessContext): Pick<ServiceSpec, "build" | "command"> {
  const { cwd, environment } = context;
  const prefix = prefixOf(context);
  let built: { readonly target: CargoTarget; readonly mode: Mode } | undefined;
  const chosen = (flag: string, value: string | undefined) => value === undefined ? [] : [flag, value];
  return {
    build: async () => {
      await environment.ask();
      const env = environment.read();
      const { package: name, bin } = config;
      const mode = context.mode();
      const target = await cargoTarget(cwd, { package: name, bin, prefix, env });
      built = { target, mode };
      const release = mode === "release" ? ["--release"] : [];
      const argv = ["cargo", "build", ...release, ...chosen("--package", name), ...chosen("--bin", bin)];
      return { cwd, env, argv: command([...prefix, ...argv]) };
    },
    command: () => {
      if (built === undefined) throw new Error("Cannot run what was not built");
      const profile = built.mode === "release" ? "release" : "debug";
      const program = `${built.target.targetFolder}/${profile}/${built.target.bin}`;
      return {
        cwd,
        env: envOf(config, context),
        program,
        argv: command([...prefix, program, ...config.args]),
      };
    },
  };
}

function plain(config: ProcessConfig, context: ProcessContext): Pick<ServiceSpec, "build" | "command"> {
  const { cwd, environment } = context;
  const prefix = prefixOf(context);
  const build = async () => {
    await environment.ask();
    if (config.build.length === 0) return undefined;
    return { cwd, env: environment.read(), argv: command([...prefix, ...config.build]) };
  };
  return {
    command: () => {
      const argv = command([...prefix, ...config.command]);
      return { cwd, env: envOf(config, context), program: config.command[0]!, argv };
    },
    ...(config.build.length === 0 && !environment.isAsked ? {} : { build }),
  };
}

/** With the port that it is to listen on, which nobody else may have. */
function envOf(
  config: ProcessConfig,
  { environment, ports, service, at }: ProcessContext,
): Record<string, string> {
  const env = environment.read();
  if (config.port === undefined) return env;
  const wanted = config.port === 0 ? 0 : config.port + at;
  // The one before it still has it, where both run for a while.
  const port = config.overlap === true && wanted !== 0 ? wanted : ports.claim(service, wanted);
  return { ...env, PORT: `${port}` };
}

/** Replicas have one port after the other. */
function listenOf(config: ProcessConfig, address: string, at: number): ListenSpec {
  const { protocol, swap, takes_sockets: takesSockets, takes_port: takesPort, drain: drainMs } = config;
  const wanted = swap === "auto" ? {} : { wanted: swap };
  const { host, port } = hostAndPort(address)!;
  return { host, port: port + at, protocol, takesSockets, takesPort, drainMs, ...wanted };
}

function limitsOf({ memory, cpus, processes }: ProcessConfig["limits"]): Limits {
  return {
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(processes === undefined ? {} : { processes }),
  };
}

function scheduleOf({ cron, every, time_zone: timeZone, overlap }: ProcessConfig["schedule"]): {
  readonly schedule?: Schedule;
} {
  if (every !== undefined) return { schedule: { kind: "interval", everyMs: every, overlap } };
  if (cron === undefined) return {};
  return {
    schedule: { kind: "cron", expression: cron, overlap, ...timeZone === undefined ? {} : { timeZone } },
  };
}

function watchOf(
  { paths, ignore, debounce, cascade }: ProcessConfig["watch"],
  folder: string,
): { readonly watch?: WatchSpec } {
  if (paths.length === 0) return {};
  return {
    watch: {
      folder,
      globs: paths,
      ignore,
      cascade,
      ...debounce === undefined ? {} : { debounceMs: debounce },
    },
  };
}

function prefixOf({ direnv, folder }: ProjectContext): readonly string[] {
  return direnv ? ["direnv", "exec", folder] : [];
}

function command(words: readonly string[]): [string, ...string[]] {
  const [program, ...args] = words;
  if (program === undefined) throw new TypeError("Cannot run an empty command");
  return [program, ...args];
}

function inFolder(folder: string, path = ""): string {
  if (path === "") return folder;
  return path.startsWith("/") ? path : `${folder}/${path}`;
}

function probeOf(config: ProcessConfig["ready"], { cwd, environment }: ProcessContext): Probe | undefined {
  const { http, tcp, log, exec, notify, every, within, failures } = config;
  const more = {
    ...(every === undefined ? {} : { everyMs: every }),
    ...(within === undefined ? {} : { withinMs: within }),
    ...(failures === undefined ? {} : { failures }),
  };
  if (http !== undefined) return { kind: "http", url: http, ...more };
  if (tcp !== undefined) return { kind: "tcp", ...hostAndPort(tcp)!, ...more };
  if (log !== undefined) return { kind: "log", pattern: compilePattern(log), ...more };
  if (exec.length > 0) {
    return { kind: "exec", command: { cwd, env: environment.read(), argv: command(exec) }, ...more };
  }
  return notify ? { kind: "notify", ...more } : undefined;
}
