/** process-compose files: processes with probes, dependencies and policies, of which nearly all has a key. Pure. @module */
import {
  folderOf,
  type Found,
  type FoundProcess,
  joinPath,
  type ProcessKeys,
  type ProjectFolder,
} from "./found.ts";
import { isTable, Keys } from "./keys.ts";
import { probeOf } from "./process_compose_probe.ts";
import { commandOf } from "./shell.ts";
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
  const shell = top.table("shell");
  const shellWords = [shell.text("shell_command") ?? "bash", shell.text("shell_argument") ?? "-c"];
  shell.untaken();
  const envFile = joinPath(folderOf(file), ".env");
  const context: Context = {
    file,
    shell: shellWords,
    env: top.variables("environment"),
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
  top.note("vars", "templates such as {{.NAME}} are not filled in");
  top.note("env_cmds", "variables are not taken from commands; set them before bpm is started, or in .envrc");
  top.untaken();
  const list = isTable(processes) ? Object.entries(processes) : [];
  const names = new Set(list.map(([name]) => name));
  return {
    file,
    kind: "process-compose",
    processes: list.map(([name, value]) => processOf(name, new Keys(value), { ...context, names })),
    notes: top.notes,
  };
}

interface Context {
  readonly file: string;
  readonly shell: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly envFiles: readonly string[];
  /** Whether `$NAME` in the file is left to the shell. */
  readonly raw: boolean;
}

function processOf(
  name: string,
  keys: Keys,
  context: Context & { readonly names: ReadonlySet<string> },
): FoundProcess {
  const { file, shell, raw } = context;
  const folder = folderOf(file);
  const line = keys.text("command");
  const entrypoint = keys.texts("entrypoint");
  const cwd = keys.text("working_dir");
  const env = { ...context.env, ...keys.variables("environment") };
  // Without them the shell expands the command by itself, with what .env files say besides.
  const expand = !raw && (Object.values(env).some(hasVariables) || (cwd !== undefined && hasVariables(cwd)));
  const text = (value: string) => expand ? value.replaceAll("$", "$$$$") : value;
  const open = (value: string) => expand ? forExpand(value) : value;
  const command = line !== undefined
    ? commandOf(raw ? line : line.replaceAll("$$", "$"), shell)
    : entrypoint ?? [];
  const readyLine = keys.text("ready_log_line");
  const readiness = probeOf(keys, "readiness_probe", shell);
  const liveness = probeOf(keys, "liveness_probe", shell);
  if (command.length === 0) keys.notes.push("it has no command: it ends at once");
  const isTerminal = [keys.toggle("is_tty"), keys.toggle("is_interactive")].includes(true);
  const envFiles = [
    ...(keys.toggle("is_dotenv_disabled") === true ? [] : context.envFiles),
    ...(keys.texts("env_file") ?? []).map((each) => joinPath(folder, each)),
  ];
  const found: ProcessKeys = {
    command: (command.length === 0 ? ["true"] : command).map(text),
    expand: expand || undefined,
    cwd: cwd === undefined ? (folder === "." ? undefined : text(folder)) : open(inFolder(folder, cwd)),
    env: mapValues(env, open),
    env_file: envFiles.length === 0 ? undefined : envFiles,
    depends_on: dependenciesOf(keys, context.names),
    ready: readyLine === undefined ? readiness?.probe : { log: asPattern(readyLine) },
    ready_within: readiness?.readyWithin,
    live: liveness?.probe,
    ...policyOf(keys),
    autostart: keys.toggle("disabled") === true ? false : undefined,
    tty: isTerminal || undefined,
  };
  const description = keys.text("description");
  noteRest(keys);
  return {
    name,
    about: `Process "${name}" of ${file}${
      description === undefined ? "" : `: ${description.replaceAll(/\s+/g, " ").trim()}`
    }`
      .replace(/[^.]$/, "$&."),
    keys: inProbes(found, text),
    notes: keys.notes,
  };
}

/** Texts of probes are expanded, too, where those of the process are. */
function inProbes(keys: ProcessKeys, text: (value: string) => string): ProcessKeys {
  const each = (probe: ProcessKeys["ready"]) =>
    probe && {
      ...probe,
      http: probe.http && text(probe.http),
      log: probe.log && text(probe.log),
      exec: probe.exec?.map(text),
    };
  return { ...keys, ready: each(keys.ready), live: each(keys.live) };
}

function policyOf(keys: Keys): Pick<ProcessKeys, "restart" | "max_failures" | "grace"> {
  const availability = keys.table("availability");
  const policy = availability.text("restart") ?? "no";
  const restart = {
    always: undefined,
    on_failure: "on-failure",
    no: "never",
    exit_on_failure: "never",
  } as const;
  if (!(policy in restart)) keys.notes.push(`availability.restart = "${policy}": is no policy that is known`);
  if (policy === "exit_on_failure") {
    keys.notes.push(`availability.restart = "exit_on_failure": a failure does not end the others`);
  }
  const most = availability.number("max_restarts");
  availability.note(
    "backoff_seconds",
    "waits are the project's: release_crash_backoff_initial_seconds and its like",
  );
  for (const name of ["exit_on_end", "exit_on_skipped"]) {
    availability.note(name, "its end does not end the others");
  }
  availability.untaken();
  const shutdown = keys.table("shutdown");
  const grace = shutdown.seconds("timeout_seconds");
  if (shutdown.has("signal") && shutdown.number("signal") !== 15) {
    keys.notes.push("shutdown.signal: bpm sends SIGTERM");
  }
  shutdown.note("command", "bpm sends SIGTERM, and SIGKILL after grace");
  shutdown.note("parent_only", "the whole tree is ended");
  shutdown.untaken();
  return {
    restart: restart[policy as keyof typeof restart],
    max_failures: most === undefined || most <= 0 ? undefined : most,
    grace,
  };
}

function dependenciesOf(keys: Keys, names: ReadonlySet<string>): Record<string, string> | undefined {
  const all = keys.table("depends_on");
  const found: Record<string, string> = {};
  for (const name of all.names) {
    const options = all.table(name);
    const condition = options.text("condition") ?? "process_started";
    options.untaken();
    if (!names.has(name)) {
      keys.notes.push(`depends_on.${name}: there is no such process in the file`);
      continue;
    }
    found[name] = CONDITIONS[condition] ?? "started";
    if (!(condition in CONDITIONS)) {
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
  keys.note("namespace", "processes are not grouped");
  keys.note("replicas", "one runs");
  keys.note("schedule", "it is not run by time");
  keys.note("watch", "changes of files do not restart it");
  keys.note("vars", "templates such as {{.NAME}} are not filled in");
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
