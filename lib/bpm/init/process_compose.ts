/** process-compose files: processes with probes, dependencies and policies, of which nearly all has a key. Pure. @module */
import {
  folderOf,
  type Found,
  type FoundProcess,
  joinPath,
  type ProbeKeys,
  type ProcessKeys,
  type ProjectFolder,
} from "./found.ts";
import { isTable, Keys } from "./keys.ts";
import { groupsOf, policyOf, replicasOf } from "./process_compose_policy.ts";
import { probeOf } from "./process_compose_probe.ts";
import { scheduleOf, watchOf } from "./process_compose_times.ts";
import { commandOf } from "./shell.ts";
import { fillTemplates, openTemplate } from "./templates.ts";
import { forExpand, hasVariables } from "./variables.ts";
import { readYaml } from "./yaml.ts";

const CONDITIONS: Readonly<Record<string, string>> = {
  process_started: "started",
  process_healthy: "ready",
  process_log_ready: "ready",
  process_completed: "completed",
  process_completed_successfully: "completed_successfully",
};

/** Processes of a process-compose file. @throws {SyntaxError} When it is no YAML. */
export async function readProcessCompose(folder: ProjectFolder, file: string): Promise<Found> {
  const top = new Keys(await readYaml(folder.read(file) ?? "", file));
  const processes = top.take("processes");
  const vars = top.take("vars");
  const shell = top.table("shell");
  const shellWords = [shell.text("shell_command") ?? "bash", shell.text("shell_argument") ?? "-c"];
  shell.untaken();
  const envFile = joinPath(folderOf(file), ".env");
  const context: Context = {
    file,
    shell: shellWords,
    env: top.variables("environment"),
    envCommands: top.variables("env_cmds"),
    envFiles: folder.read(envFile) === undefined ? [] : [envFile],
    raw: top.toggle("disable_env_expansion") === true,
  };
  // How it shows itself, and what bpm always does.
  top.pass(
    "version",
    "name",
    "log_level",
    "log_length",
    "log_format",
    "is_strict",
    "is_tui_disabled",
    "ordered_shutdown",
  );
  top.note("log_location", "bpm keeps the logs itself, see log_instances and log_mib");
  top.note("log_configuration", "bpm keeps the logs itself, see log_instances and log_mib");
  top.untaken();
  const list = isTable(processes) ? Object.entries(processes) : [];
  const names = new Map(list.map(([name, value]): [string, ReadyBy] => {
    const { ready_log_line: line, readiness_probe: probe } = isTable(value) ? value : {};
    return [name, { line: typeof line === "string" ? line : undefined, hasProbe: isTable(probe) }];
  }));
  return {
    file,
    kind: "process-compose",
    processes: list.map(([name, value]) => processOf(name, filled(value, vars), { ...context, names })),
    notes: [...top.notes, ...overrideOf(folder, file)],
  };
}

/** With the file's variables and its own in its texts. */
function filled(value: unknown, vars: unknown): Keys {
  if (!isTable(value)) return new Keys(value);
  const { vars: own, ...rest } = value;
  const full = fillTemplates(rest, { ...isTable(vars) ? vars : {}, ...isTable(own) ? own : {} });
  const keys = new Keys(full);
  const open = openTemplate(full);
  if (open !== undefined) {
    keys.notes.push(`${open}: is not filled in`);
  }
  return keys;
}

function overrideOf(folder: ProjectFolder, file: string): string[] {
  const override = file.replace(/(\.ya?ml)$/, ".override$1");
  return folder.read(override) === undefined
    ? []
    : [`${override} is used by process-compose, too; it is not read`];
}

interface Context {
  readonly file: string;
  readonly shell: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Commands that print the values of variables. */
  readonly envCommands: Readonly<Record<string, string>>;
  readonly envFiles: readonly string[];
  /** Whether `$NAME` in the file is left to the shell. */
  readonly raw: boolean;
}

function processOf(
  name: string,
  keys: Keys,
  context: Context & { readonly names: ReadonlyMap<string, ReadyBy> },
): FoundProcess {
  const { file, shell, raw } = context;
  const folder = folderOf(file);
  const line = keys.text("command");
  const entrypoint = keys.texts("entrypoint") ?? [];
  const cwd = keys.text("working_dir");
  const env = { ...context.env, ...keys.variables("environment") };
  const readyLine = keys.text("ready_log_line");
  const readiness = probeOf(keys, "readiness_probe", { shell, raw });
  const liveness = probeOf(keys, "liveness_probe", { shell, raw });
  const open = [...Object.values(env), cwd ?? "", readiness?.probe.http ?? "", liveness?.probe.http ?? ""];
  // What a shell runs it expands by itself, with all that is in the process's environment.
  const expand = !raw && [...open, ...line === undefined ? entrypoint : []].some(hasVariables);
  const plain = (value: string) => raw ? value : value.replaceAll("$$", "$");
  const text: Texts = {
    expanded: expand ? forExpand : plain,
    asIs: (value) => expand ? plain(value).replaceAll("$", "$$$$") : plain(value),
  };
  const command = line !== undefined
    ? commandOf(plain(line), shell).map((each) => expand ? each.replaceAll("$", "$$$$") : each)
    : entrypoint.map(text.expanded);
  if (command.some((each) => each.includes("PC_REPLICA_NUM"))) {
    keys.notes.push("PC_REPLICA_NUM is not set: REPLICA is its number, from 1");
  }
  if (command.length === 0) keys.notes.push("it has no command: it ends at once");
  const isTerminal = [keys.toggle("is_tty"), keys.toggle("is_interactive")].includes(true);
  const envFiles = [
    ...(keys.toggle("is_dotenv_disabled") === true ? [] : context.envFiles),
    ...(keys.texts("env_file") ?? []).map((each) => joinPath(folder, each)),
  ];
  const isOff = keys.toggle("disabled") === true;
  const isJob = keys.has("schedule");
  const when = scheduleOf(keys);
  const found: ProcessKeys = {
    command: command.length === 0 ? ["true"] : command,
    expand: expand || undefined,
    cwd: cwd === undefined
      ? (folder === "." ? undefined : text.asIs(folder))
      : text.expanded(inFolder(folder, cwd)),
    env: mapValues(env, text.expanded),
    env_command: mapValues(context.envCommands, text.asIs),
    env_file: envFiles.length === 0 ? undefined : envFiles,
    depends_on: dependenciesOf(keys, context.names, text),
    ready: readyOf(readiness?.probe, readyLine, text),
    ready_within: readiness?.readyWithin,
    live: probeTexts(liveness?.probe, text),
    ...policyOf(keys, when !== undefined),
    // A job whose times are lost is started by hand rather than at a wrong one.
    autostart: isOff || (isJob && when === undefined) ? false : when?.onStart === true ? true : undefined,
    groups: groupsOf(keys),
    replicas: replicasOf(keys),
    schedule: when?.keys,
    watch: watchOf(keys, cwd === undefined ? folder : inFolder(folder, cwd)),
    tty: isTerminal || undefined,
  };
  const description = keys.text("description");
  noteRest(keys);
  const about = `Process "${name}" of ${file}${description === undefined ? "" : `: ${description}`}`;
  return {
    name,
    about: about.replaceAll(/\s+/g, " ").trim().replace(/[^.]$/, "$&."),
    keys: found,
    notes: keys.notes,
  };
}

/** How texts of the file are written where `expand` may be set. */
interface Texts {
  /** With its variables. */
  expanded(text: string): string;
  /** With what a shell will make of it. */
  asIs(text: string): string;
}

/** How others know that a process is ready. */
interface ReadyBy {
  readonly line: string | undefined;
  readonly hasProbe: boolean;
}

function readyOf(probe: ProbeKeys | undefined, line: string | undefined, text: Texts): ProbeKeys | undefined {
  return probe !== undefined || line === undefined
    ? probeTexts(probe, text)
    : { log: text.asIs(asPattern(line)) };
}

function probeTexts(probe: ProbeKeys | undefined, text: Texts): ProbeKeys | undefined {
  return probe && {
    ...probe,
    http: probe.http && text.expanded(probe.http),
    exec: probe.exec?.map(text.asIs),
  };
}

function dependenciesOf(
  keys: Keys,
  names: ReadonlyMap<string, ReadyBy>,
  text: Texts,
): Record<string, string> | undefined {
  const all = keys.table("depends_on");
  const found: Record<string, string> = {};
  for (const name of all.names) {
    const options = all.table(name);
    const condition = options.text("condition") ?? "process_started";
    options.untaken();
    const other = names.get(name);
    if (other === undefined) {
      keys.notes.push(`depends_on.${name}: there is no such process in the file`);
      continue;
    }
    // Where the line is its readiness the shorter word says the same.
    const isLine = condition === "process_log_ready" && other.line !== undefined && other.hasProbe;
    found[name] = isLine ? text.asIs(`log:${asPattern(other.line)}`) : CONDITIONS[condition] ?? "started";
    if (!Object.hasOwn(CONDITIONS, condition)) {
      keys.notes.push(`depends_on.${name} = "${condition}": is taken for "started"`);
    }
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

function noteRest(keys: Keys): void {
  keys.note(
    "is_daemon",
    "what goes on in the background is part of its tree, and counts as ended when the command ends",
  );
  keys.note("is_foreground", "start it in a terminal of your own");
  keys.note("is_elevated", "bpm asks for no password; run it as who it has to be");
  keys.note("log_location", "bpm keeps the logs itself, see log_instances and log_mib");
  keys.note("log_configuration", "bpm keeps the logs itself, see log_instances and log_mib");
  keys.note("launch_timeout_seconds", "it is for daemons");
  keys.pass("disable_ansi_colors");
  keys.untaken();
}

/** A pattern that finds this text; `RegExp.escape` does the same in a way that nobody can read. */
function asPattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** What begins with a variable is as absolute as that is. */
function inFolder(folder: string, path: string): string {
  return /^[/$~]/.test(path) ? path : joinPath(folder, path);
}

function mapValues(
  record: Readonly<Record<string, string>>,
  each: (value: string) => string,
): Record<string, string> | undefined {
  const entries = Object.entries(record).map(([name, value]) => [name, each(value)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
