/** What a process of `.mcp-run` is to the supervisor. @module */
import type { Command, Condition, ListenSpec, Policy, Probe, ServiceSpec } from "../supervisor/mod.ts";
import { type CargoTarget, cargoTarget } from "./cargo.ts";
import type { BpmConfig, ProcessConfig } from "./config.ts";
import { expandTexts } from "./expand.ts";
import { parseEnvFile } from "./secrets.ts";
import type { Mode } from "./status_text.ts";

/** What processes of one project share. */
export interface ProjectContext {
  /** Absolute. */
  readonly folder: string;
  readonly config: BpmConfig;
  /** `.envrc` is there: everything is run in what it sets. */
  readonly direnv: boolean;
  readonly mode: () => Mode;
}

/** A service, and what of its environment must not be shown. */
export interface Process {
  readonly spec: ServiceSpec;
  /** Where to look at it. */
  readonly url: string | undefined;
  readonly secrets: readonly string[];
}

const MIB = 2 ** 20;
/** Upstream's factor between waits, which it rounds down to whole seconds. */
const BACKOFF = { factor: 1.5, stepMs: 1_000 };
/** Upstream never forgets a crash but by a restart that is asked for; a day later nobody would wait 300 s for it. */
const HEALTHY_AFTER_MS = 600_000;
const SEGMENT_BYTES = 256 * 1024;
const TERMINAL = { rows: 24, columns: 80 };

/** @throws {SyntaxError} When an environment file cannot be read. */
export function processOf(name: string, project: ProjectContext): Process {
  const written = project.config.process[name]!;
  const config = written.expand ? expandTexts(written, Deno.env.toObject()) : written;
  const { env, secrets } = environment(config, project.folder);
  const place = {
    cwd: config.cwd === undefined ? project.folder : inFolder(project.folder, config.cwd),
    env,
  };
  const readiness = probeOf(config.ready, place);
  const liveness = probeOf(config.live, place);
  const spec: ServiceSpec = {
    name,
    ...(config.type === "rust" ? rust(config, project, place) : plain(config, project, place)),
    dependsOn: Object.entries(config.depends_on).map(([other, condition]) => {
      return { name: other, condition: condition as Condition };
    }),
    ...(readiness === undefined ? {} : { readiness }),
    ...(liveness === undefined ? {} : { liveness }),
    policy: () => policyOf(config, project),
    ...(config.listen === undefined ? {} : { listen: listenOf(config, config.listen) }),
    lifetime: config.lifetime,
    retention: { count: project.config.log_instances },
    keeper: {
      stdin: config.tty ? TERMINAL : config.stdin ? "pipe" : "null",
      overflow: config.when_full,
      segmentBytes: SEGMENT_BYTES,
      retainBytes: project.config.log_mib * MIB,
      ...(config.nice === undefined ? {} : { nice: config.nice }),
    },
  };
  return { spec, url: config.url, secrets };
}

type Place = Required<Pick<Command, "cwd" | "env">>;

function policyOf(config: ProcessConfig, { config: project, mode }: ProjectContext): Partial<Policy> {
  return {
    restart: config.restart,
    backoff: {
      ...BACKOFF,
      firstMs: project.release_crash_backoff_initial_seconds * 1_000,
      maxMs: project.release_crash_backoff_max_seconds * 1_000,
      ...(mode() === "dev" ? { onceMs: project.dev_crash_wait_seconds * 1_000 } : {}),
    },
    healthyAfterMs: HEALTHY_AFTER_MS,
    ...(config.overlap === undefined ? {} : { overlap: config.overlap }),
    ...(config.max_failures === undefined ? {} : { maxFailures: config.max_failures }),
    ...(config.grace === undefined ? {} : { graceMs: config.grace }),
    ...(config.ready_within === undefined ? {} : { readyWithinMs: config.ready_within }),
  };
}

/** Built in the mode of the moment, and run from where cargo has put it. */
function rust(
  config: ProcessConfig,
  project: ProjectContext,
  place: Place,
): Pick<ServiceSpec, "build" | "command"> {
  const prefix = prefixOf(project);
  let built: { readonly target: CargoTarget; readonly mode: Mode } | undefined;
  const chosen = (flag: string, value: string | undefined) => value === undefined ? [] : [flag, value];
  return {
    build: async () => {
      const { package: name, bin } = config;
      const mode = project.mode();
      const target = await cargoTarget(place.cwd, { package: name, bin, prefix, env: place.env });
      built = { target, mode };
      const release = mode === "release" ? ["--release"] : [];
      const argv = ["cargo", "build", ...release, ...chosen("--package", name), ...chosen("--bin", bin)];
      return { ...place, argv: command([...prefix, ...argv]) };
    },
    command: () => {
      if (built === undefined) throw new Error("Cannot run what was not built");
      const profile = built.mode === "release" ? "release" : "debug";
      const program = `${built.target.targetFolder}/${profile}/${built.target.bin}`;
      return { ...place, program, argv: command([...prefix, program, ...config.args]) };
    },
  };
}

function plain(
  config: ProcessConfig,
  project: ProjectContext,
  place: Place,
): Pick<ServiceSpec, "build" | "command"> {
  const prefix = prefixOf(project);
  return {
    command: { ...place, program: config.command[0]!, argv: command([...prefix, ...config.command]) },
    ...(config.build.length === 0
      ? {}
      : { build: { ...place, argv: command([...prefix, ...config.build]) } }),
  };
}

function listenOf(config: ProcessConfig, address: string): ListenSpec {
  const { protocol, swap, takes_sockets: takesSockets, takes_port: takesPort, drain: drainMs } = config;
  const wanted = swap === "auto" ? {} : { wanted: swap };
  return { ...hostAndPort(address), protocol, takesSockets, takesPort, drainMs, ...wanted };
}

function prefixOf({ direnv, folder }: ProjectContext): readonly string[] {
  return direnv ? ["direnv", "exec", folder] : [];
}

function command(words: readonly string[]): [string, ...string[]] {
  const [program, ...args] = words;
  if (program === undefined) throw new TypeError("Cannot run an empty command");
  return [program, ...args];
}

function environment(
  config: ProcessConfig,
  folder: string,
): { readonly env: Readonly<Record<string, string>>; readonly secrets: readonly string[] } {
  let env: Record<string, string> = {};
  for (const file of config.env_file) {
    const path = inFolder(folder, file);
    env = { ...env, ...parseEnvFile(readText(path), path) };
  }
  return { env: { ...env, ...config.env }, secrets: Object.values(env) };
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    const found = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new SyntaxError(`Cannot read environment ${path}: ${found}`, { cause });
  }
}

function inFolder(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder}/${path}`;
}

function probeOf(config: ProcessConfig["ready"], place: Place): Probe | undefined {
  const { http, tcp, log, exec, notify, every, within, failures } = config;
  const more = {
    ...(every === undefined ? {} : { everyMs: every }),
    ...(within === undefined ? {} : { withinMs: within }),
    ...(failures === undefined ? {} : { failures }),
  };
  if (http !== undefined) return { kind: "http", url: http, ...more };
  if (tcp !== undefined) return { kind: "tcp", ...hostAndPort(tcp), ...more };
  if (log !== undefined) return { kind: "log", pattern: new RegExp(log, "u"), ...more };
  if (exec.length > 0) return { kind: "exec", command: { ...place, argv: command(exec) }, ...more };
  return notify ? { kind: "notify", ...more } : undefined;
}

function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(":");
  const port = Number(text.slice(at + 1));
  if (at < 0 || !Number.isInteger(port)) {
    throw new SyntaxError(`Cannot read address "${text}": expected HOST:PORT`);
  }
  return { host: text.slice(0, at).replace(/^\[|\]$/g, "") || "127.0.0.1", port };
}
