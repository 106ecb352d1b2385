/** What a process of `.mcp-run` is to the supervisor. @module */
import { addressText } from "../../ffi/sockets/mod.ts";
import { dependencyOf, type Mode } from "../services/mod.ts";
import type { Dependency, ServiceSpec } from "../supervisor/mod.ts";
import { type CargoTarget, cargoTarget } from "./cargo.ts";
import type { BpmConfig, ProcessConfig } from "./config.ts";
import { Environment } from "./environment.ts";
import { expandTexts } from "./expand.ts";
import { identityOf } from "./identity.ts";
import type { Ports } from "./ports.ts";
import { processProblem } from "./process_problem.ts";
import {
  given,
  isJob,
  keeperOf,
  limitsOf,
  listenOf,
  policyOf,
  probeOf,
  scheduleOf,
  watchOf,
} from "./spec_parts.ts";

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
  const cwd = inFolder(folder, config.cwd);
  const context = { ...project, environment, service: replica, at, cwd };
  const asking = { cwd, env: () => environment.read() };
  const listen = listenOf(config, at);
  const optional = {
    readiness: probeOf(config.ready, asking),
    liveness: probeOf(config.live, asking),
    listen,
    schedule: scheduleOf(config.schedule),
    watch: watchOf(config.watch, folder),
  };
  const spec: ServiceSpec = {
    name: replica,
    ...(config.type === "rust" ? rust(config, context) : plain(config, context)),
    dependsOn: dependenciesOf(config, project.config),
    policy: () => policyOf(config, { project: project.settings(), mode: project.mode() }),
    ...given(optional),
    lifetime: config.lifetime,
    limits: limitsOf(config.limits),
    retention: { count: project.config.log_instances, bytes: project.config.log_total_mib * MIB },
    stopSignal: config.stop_signal,
    keeper: { ...keeperOf(config), retainBytes: project.config.log_mib * MIB, ...identity },
  };
  return {
    spec,
    name,
    config,
    groups: config.groups,
    autostart: config.autostart ?? !isJob(config),
    url: config.url ?? (listen?.protocol === "http" ? `http://${addressText(listen)}` : undefined),
    environment,
    source: JSON.stringify([config, folder, project.direnv, projectKeys(project.config)]),
  };
}

/** Of a process with replicas, all of them. */
function dependenciesOf({ depends_on }: ProcessConfig, { process }: BpmConfig): Dependency[] {
  return Object.entries(depends_on).flatMap(([other, condition]) => {
    const config = process[other];
    const names = config === undefined ? [other] : replicaNames(other, config);
    return names.map((each) => dependencyOf(each, condition)!);
  });
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
