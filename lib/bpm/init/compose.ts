/**
 * Compose files: each service is what `docker compose up SERVICE` is to bpm. What is inside of a container (environment,
 * volumes, networks, …) stays the compose file's, which docker compose reads anew at each start; what concerns the order,
 * the health and the restarts is said again in keys. Pure.
 * @module
 */
import { parseEnvFile } from "../../services/mod.ts";
import { healthOf, mayHavePages, publishedPort } from "./compose_probe.ts";
import { folderOf, type Found, type FoundProcess, joinPath, type ProjectFolder } from "./found.ts";
import { isTable, Keys } from "./keys.ts";
import { interpolate } from "./variables.ts";
import { readYaml } from "./yaml.ts";

/** Names under which docker compose finds a file by itself, the one that it takes first. */
export const COMPOSE_FILES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
const OVERRIDES = COMPOSE_FILES.map((each) => each.replace(".y", ".override.y"));

/** The first start may have to load an image. */
const READY_WITHIN = "5m";
/** What docker gives a container to end; bpm must not be faster. */
const DOCKER_GRACE_S = 10;
const GRACE_MARGIN_S = 5;
const CONDITIONS: Readonly<Record<string, string>> = {
  service_started: "started",
  service_healthy: "ready",
  service_completed_successfully: "completed_successfully",
};

/** Services of a compose file. @throws {SyntaxError} When it is no YAML. */
export async function readCompose(folder: ProjectFolder, file: string): Promise<Found> {
  const data = await readYaml(folder.read(file) ?? "", file);
  const top = new Keys(data);
  const services = top.take("services");
  const context = contextOf(folder, file, top.notes);
  top.pass("version", "name", "networks", "volumes", "configs", "secrets", "models");
  top.note("include", 'the files that it names are not read; name them with "--from"');
  top.untaken();
  const notes = [...top.notes];
  const override = OVERRIDES.map((each) => joinPath(folderOf(file), each)).find((each) =>
    context.files.length === 0 && folder.read(each) !== undefined
  );
  if (override !== undefined) {
    notes.push(
      `${override} is used by docker compose, too; its ports, health checks and dependencies are not read`,
    );
  }
  const list = isTable(services) ? Object.entries(services) : [];
  const names = new Set(list.map(([name]) => name));
  const found = list.map(([name, value]) => serviceOf({ name, names, keys: new Keys(value), ...context }));
  return { file, kind: "compose", processes: prepared(found, context), notes };
}

/** Name of the process that comes before all services. */
const CREATE = "compose-create";

/**
 * Services that are brought up at the same time would each create the network that they share, and then it is ambiguous
 * (docker/compose issue 10696): of several services one process creates all that is missing first.
 */
function prepared(services: readonly FoundProcess[], { file, files, cwd }: Context): FoundProcess[] {
  if (services.length < 2) return [...services];
  const create: FoundProcess = {
    name: CREATE,
    about:
      `Creates networks, volumes and containers of ${file}: services that do so at once get in each other's way.`,
    keys: { command: ["docker", "compose", ...files, "create", "--no-recreate"], cwd, restart: "on-failure" },
    notes: [],
    prepares: true,
  };
  return [
    create,
    // Those that wait for others have waited for it, too.
    ...services.map((each) => {
      const depends_on = each.keys.depends_on ?? { [CREATE]: "completed_successfully" };
      return { ...each, keys: { ...each.keys, depends_on } };
    }),
  ];
}

interface Context {
  readonly file: string;
  /** Words that name the file to docker compose; empty where it finds it by itself. */
  readonly files: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

interface Service extends Context {
  readonly name: string;
  readonly names: ReadonlySet<string>;
  readonly keys: Keys;
}

function contextOf(folder: ProjectFolder, file: string, notes: string[]): Context {
  const where = folderOf(file);
  const base = file.slice(file.lastIndexOf("/") + 1);
  const first = COMPOSE_FILES.find((each) => folder.read(joinPath(where, each)) !== undefined);
  const envFile = joinPath(where, ".env");
  return {
    file,
    files: base === first ? [] : ["-f", base],
    cwd: where === "." ? undefined : where,
    env: readEnv(folder.read(envFile) ?? "", envFile, notes),
  };
}

/** It matters only for what is replaced in a port: docker compose reads it by rules of its own. */
function readEnv(text: string, file: string, notes: string[]): Record<string, string> {
  try {
    return parseEnvFile(text, file);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    notes.push(`${error.message}: its variables are taken for not set`);
    return {};
  }
}

function serviceOf(service: Service): FoundProcess {
  const { name, file, files, cwd, env, keys } = service;
  const compose = ["docker", "compose", ...files];
  const port = publishedPort(keys, env);
  const ready = healthOf(keys, { name, compose, env }) ??
    (port === undefined ? undefined : { tcp: `127.0.0.1:${port}` });
  const build = keys.take("build");
  const profiles = keys.texts("profiles") ?? [];
  const restart = restartOf(keys);
  noteRest(keys);
  return {
    name,
    about: `Service "${name}" of ${file}${
      profiles.length === 0
        ? ""
        : `, of the profile ${profiles.join(", ")}: it is started when you ask for it`
    }.`,
    keys: {
      // Bare exit codes and lines, and no services but this one: their order is bpm's.
      command: [...compose, "up", "--no-deps", "--no-log-prefix", "--exit-code-from", name, name],
      build: build === undefined ? undefined : [...compose, "build", name],
      cwd,
      url: port === undefined || !mayHavePages(port) ? undefined : `http://127.0.0.1:${port}`,
      depends_on: dependenciesOf(service),
      ready,
      ready_within: ready === undefined ? undefined : READY_WITHIN,
      ...restart,
      grace: graceOf(keys),
      autostart: profiles.length === 0 ? undefined : false,
      groups: profiles.length === 0 ? undefined : profiles,
    },
    notes: keys.notes,
    ...(build === undefined ? {} : { builds: buildFolder(build, service) }),
  };
}

/** Keys of the container stay in the compose file; those that docker compose up does not do are told. */
function noteRest(keys: Keys): void {
  keys.note(
    "extends",
    "docker compose follows it; ports, health check and dependencies of the other one are not read",
  );
  keys.note("tty", "docker compose up passes no terminal on; docker attach does");
  keys.note("stdin_open", "docker compose up passes no input on; docker attach does");
  keys.note("develop", "docker compose watch does this, beside bpm");
  keys.pass("links", "stop_grace_period");
}

function buildFolder(build: unknown, { cwd, env }: Service): string {
  const context = typeof build === "string" ? build : isTable(build) ? build.context ?? "." : ".";
  return joinPath(cwd ?? ".", interpolate(String(context), env).text);
}

function graceOf(keys: Keys): string | undefined {
  const grace = keys.duration("stop_grace_period");
  const seconds = /^(\d+)s$/.exec(grace ?? `${DOCKER_GRACE_S}s`)?.[1];
  // Durations of several units are rare, and long: they are given as they are, with the margin behind them.
  return seconds === undefined ? `${grace}${GRACE_MARGIN_S}s` : `${Number(seconds) + GRACE_MARGIN_S}s`;
}

function restartOf(
  keys: Keys,
): { restart: "never" | "on-failure" | undefined; max_failures: number | undefined } {
  const text = keys.text("restart") ?? "no";
  const [policy, count] = text.split(":");
  const known = ["no", "always", "unless-stopped", "on-failure"].includes(policy!);
  if (!known) keys.notes.push(`restart = "${text}": is no policy that is known, and is left out`);
  return {
    restart: policy === "no" ? "never" : policy === "on-failure" ? "on-failure" : undefined,
    max_failures: policy === "on-failure" && Number(count) > 0 ? Number(count) : undefined,
  };
}

function dependenciesOf({ keys, names }: Service): Record<string, string> | undefined {
  const value = keys.take("depends_on");
  const pairs = Array.isArray(value)
    ? value.map((each) => [String(each), {}] as const)
    : isTable(value)
    ? Object.entries(value)
    : [];
  const found: Record<string, string> = {};
  for (const [name, each] of pairs) {
    const options = new Keys(each, `depends_on.${name}`, keys.notes);
    const condition = options.text("condition") ?? "service_started";
    const required = options.toggle("required") ?? true;
    options.note("restart", "a restart of the other one does not restart this one");
    options.untaken();
    if (!names.has(name)) {
      if (required) keys.notes.push(`depends_on.${name}: there is no such service in the file`);
      continue;
    }
    found[name] = CONDITIONS[condition] ?? "started";
    if (!(condition in CONDITIONS)) {
      keys.notes.push(`depends_on.${name} = "${condition}": is taken for "started"`);
    }
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
