/**
 * `.mcp-run`: upstream's keys with upstream's defaults, and in a superset what the supervisor can do beyond. As upstream
 * reads over keys that it does not know, they are only warned of.
 * @module
 */
import {
  ConfigError,
  type ConfigOf,
  duration,
  integer,
  loadConfig,
  type Loaded,
  namedTables,
  optionalDuration,
  optionalInteger,
  optionalNumber,
  optionalSize,
  optionalText,
  optionalToggle,
  stringMap,
  strings,
  table,
  text,
  toggle,
} from "../config/mod.ts";
import { RESOURCE_NAMES } from "../keeper/mod.ts";
import { CONDITIONS } from "../supervisor/mod.ts";
import { processProblem } from "./process_problem.ts";

/** Name of the file in a project's folder. */
export const CONFIG_NAME = ".mcp-run";

/** How a process is built and run. */
const PROCESS_TYPES = ["rust", "npm", "command"] as const;

const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL"] as const;
const PORT = { min: 0, max: 65_535 };
const SECONDS = { min: 0, max: 31_536_000 };

/** One way of asking how a process is; at most one of `http`, `tcp`, `log`, `exec` and `notify`. */
const PROBE = {
  http: optionalText({
    help: "Well when this URL answers with 200 to 399.",
    example: "http://127.0.0.1:8080/health",
  }),
  tcp: optionalText({ help: "Well when a connection to this address is taken.", example: "127.0.0.1:8080" }),
  log: optionalText({
    help: "Well when a line of its output matches this regular expression.",
    example: "listening on",
  }),
  exec: strings({ help: "Well when this program ends with 0.", example: ["test", "-e", "ready"] }),
  notify: toggle({ help: "Well when it says READY=1 to sd_notify(3).", fallback: false }),
  every: optionalDuration({ help: "Pause between two questions.", example: "5s", minMs: 1 }),
  within: optionalDuration({ help: "What is not answered by then is a no.", example: "2s", minMs: 1 }),
  failures: optionalInteger({ help: "So many noes in a row are one.", example: "3", min: 1, max: 1_000 }),
};

export const BPM_CONFIG = table({
  mcp_port: optionalInteger({
    help: "Port of the MCP endpoint on 127.0.0.1; required.",
    example: "3001",
    ...PORT,
  }),
  dev_timeout_hours: integer({
    help: "Dev mode ends after so many hours without a call of a tool.",
    fallback: 3,
    min: 0,
    max: 87_600,
  }),
  dev_crash_wait_seconds: integer({
    help: "In dev mode, wait before the restart after a first crash.",
    fallback: 120,
    ...SECONDS,
  }),
  release_crash_backoff_initial_seconds: integer({
    help: "Wait before the first restart; each later one is half as long again.",
    fallback: 1,
    ...SECONDS,
  }),
  release_crash_backoff_max_seconds: integer({
    help: "The longest wait before a restart.",
    fallback: 300,
    ...SECONDS,
  }),
  host: text({ help: "Address to listen on; other than loopback it needs a token.", fallback: "127.0.0.1" }),
  token_file: optionalText({
    help: "File with a token that clients have to send.",
    example: "/run/bpm/token",
  }),
  log_instances: integer({
    help: "Ended instances whose logs are kept, by process.",
    fallback: 10,
    min: 1,
    max: 10_000,
  }),
  log_mib: integer({ help: "Space of one instance's log in MiB.", fallback: 10, min: 1, max: 65_536 }),
  log_total_mib: integer({
    help: "Space of one process's ended instances together in MiB; the newest is always kept.",
    fallback: 256,
    min: 1,
    max: 1_048_576,
  }),
  process: namedTables({
    type: text({
      help: "rust is built by cargo, npm and command are run as they are.",
      fallback: "command",
      oneOf: PROCESS_TYPES,
    }),
    args: strings({ help: "Arguments of a rust program.", example: ["--port", "8080"] }),
    command: strings({ help: "Program and arguments, for npm and command.", example: ["npm", "run", "dev"] }),
    package: optionalText({ help: "Package of the workspace, for rust.", example: "server" }),
    bin: optionalText({ help: "Binary of the package, for rust.", example: "server" }),
    build: strings({
      help: "Program that is run before each start, for npm and command.",
      example: ["make"],
    }),
    url: optionalText({ help: "Where to look at it.", example: "http://127.0.0.1:8080" }),
    expand: toggle({
      help: "Replaces ${NAME} and ${NAME:-default} in its texts by what the manager's environment says.",
      fallback: false,
    }),
    cwd: optionalText({ help: "Working directory, from the project's folder.", example: "server" }),
    env: stringMap({ help: "Variables of the environment.", example: { PORT: "8080" } }),
    env_file: strings({
      help: "Files of variables, later ones win; their values are masked in logs.",
      example: [".env"],
    }),
    depends_on: stringMap({
      help: `Processes that must be ${CONDITIONS.slice(0, -1).join(", ")}, or have said log:REGEX, before.`,
      example: { database: "ready" },
    }),
    ready: table(PROBE, { help: "When it counts as ready; without it, when it runs." }),
    live: table(PROBE, { help: "What must hold while it runs; it is restarted when it does not." }),
    ready_within: optionalDuration({
      help: "What is not ready by then is restarted.",
      example: "30s",
      minMs: 1,
    }),
    restart: optionalText({
      help:
        "When it is started again after it ended: always, on-failure or never; what has a schedule, never.",
      example: "always",
    }),
    backoff: table({
      first: optionalDuration({ help: "Wait before the first restart.", example: "1s" }),
      factor: optionalNumber({
        help: "Each later one is so many times longer.",
        example: "2",
        min: 1,
        max: 100,
      }),
      max: optionalDuration({ help: "The longest wait.", example: "1m" }),
      jitter: optionalNumber({
        help: "Up to this part of a wait is left out by chance.",
        example: "0.25",
        min: 0,
        max: 1,
      }),
    }, { help: "Waits before restarts, instead of the project's." }),
    healthy_after: optionalDuration({
      help: "After so long without an end, failures are forgotten.",
      example: "10m",
    }),
    max_failures: optionalInteger({
      help: "After so many failures in a row it is left alone.",
      example: "5",
      min: 1,
      max: 1_000_000,
    }),
    grace: optionalDuration({ help: "After SIGTERM, so long until SIGKILL.", example: "5s" }),
    stop_signal: text({ help: "Asks it to end.", fallback: "SIGTERM", oneOf: STOP_SIGNALS }),
    autostart: optionalToggle({
      help: "Whether it is started with the manager; by default, unless it waits for its schedule.",
      example: false,
    }),
    groups: strings({
      help: "Names under which it is started and stopped with others: @NAME.",
      example: ["web"],
    }),
    replicas: integer({
      help: "So many run at once, as NAME.1, NAME.2 ..., with REPLICA in their environment.",
      fallback: 1,
      min: 1,
      max: 100,
    }),
    port: optionalInteger({
      help:
        "Port on which it listens by itself, told in PORT; replicas have the next ones. 0 chooses a free one.",
      example: "8080",
      ...PORT,
    }),
    schedule: table({
      cron: optionalText({
        help: "Is started at these times, as of crontab(5).",
        example: "0 3 * * *",
      }),
      every: optionalDuration({ help: "Is started again and again.", example: "10m", minMs: 1_000 }),
      time_zone: optionalText({ help: "Of cron; the machine's by default.", example: "Europe/Berlin" }),
      overlap: text({
        help: "When it still runs: skip the start, or restart it.",
        fallback: "skip",
        oneOf: ["skip", "restart"],
      }),
    }, { help: "Starts by the clock." }),
    watch: table({
      paths: strings({
        help: "A change of these files restarts it.",
        example: ["src/**/*.ts", "package.json"],
      }),
      ignore: strings({ help: "But not of these.", example: ["**/*.test.ts"] }),
      debounce: optionalDuration({ help: "So long nothing more may change.", example: "200ms", minMs: 1 }),
      cascade: toggle({ help: "Whether those that depend on it are restarted after it.", fallback: false }),
    }, { help: "Restarts by changed files." }),
    limits: table({
      memory: optionalSize({
        help: "Of it and all that it starts, together.",
        example: "512MiB",
        minBytes: 4_096,
      }),
      cpus: optionalNumber({
        help: "Time of so many CPUs.",
        example: "1.5",
        min: 0.01,
        max: 4_096,
      }),
      processes: optionalInteger({ help: "Processes and threads.", example: "200", min: 1, max: 4_194_304 }),
    }, { help: "By cgroups." }),
    rlimits: stringMap({
      help: `By setrlimit(2), soft:hard or both in one: ${RESOURCE_NAMES.join(", ")}.`,
      example: { nofile: "4096:65536", core: "unlimited" },
    }),
    user: optionalText({ help: "Runs as this user, by name or number.", example: "www-data" }),
    group: optionalText({ help: "With this group instead of the user's.", example: "www-data" }),
    umask: optionalText({ help: "In octal.", example: "027" }),
    env_command: stringMap({
      help: "Variables that these shell commands print, before each start; masked in logs.",
      example: { DB_PASSWORD: "pass show db" },
    }),
    stdin: toggle({ help: "Whether it can be sent input.", fallback: false }),
    tty: toggle({ help: "Whether it gets a terminal.", fallback: false }),
    lifetime: text({
      help:
        "session ends with the manager in any way, project when it is stopped, persistent never by itself.",
      fallback: "project",
      oneOf: ["session", "project", "persistent"],
    }),
    listen: optionalText({
      help: "Address on which it listens: restarts lose no request to it.",
      example: "127.0.0.1:8080",
    }),
    protocol: text({ help: "What is spoken there.", fallback: "http", oneOf: ["http", "tcp"] }),
    takes_sockets: toggle({
      help: "Whether it takes sockets that are passed to it (LISTEN_FDS).",
      fallback: false,
    }),
    takes_port: toggle({ help: "Whether it listens on the port in PORT.", fallback: false }),
    swap: text({
      help: "How it comes to its socket; auto finds out.",
      fallback: "auto",
      oneOf: ["auto", "interposer", "proxy"],
    }),
    drain: duration({ help: "After a restart, so long the old one may take to finish.", fallback: "10s" }),
    overlap: optionalToggle({
      help: "Whether old and new run at once while it is restarted; by default, if it listens.",
      example: true,
    }),
    nice: optionalInteger({ help: "Priority from -20 to 19.", example: "10", min: -20, max: 19 }),
    when_full: text({
      help:
        "What happens when the space of its log is used up: the oldest goes, or it waits for good, and nothing is lost.",
      fallback: "drop",
      oneOf: ["drop", "block"],
    }),
  }, { help: "A process; at least one.", example: "api" }),
}, { help: "Processes of a project." });

export type BpmConfig = ConfigOf<typeof BPM_CONFIG>;
export type ProcessConfig = BpmConfig["process"][string];

/** Reads a project's file. @throws {ConfigError} Naming file, line and key. */
export function loadBpmConfig(file: string): Loaded<BpmConfig & { readonly mcp_port: number }> {
  const { config, warnings } = loadConfig(BPM_CONFIG, file, { lenient: true });
  const { mcp_port, process } = config;
  if (mcp_port === undefined) {
    throw new ConfigError(
      `Cannot read configuration ${file}: "mcp_port" is missing, expected a port such as 3001`,
    );
  }
  if (Object.keys(process).length === 0) {
    throw new ConfigError(
      `Cannot read configuration ${file}: No processes defined, expected [process.<name>]`,
    );
  }
  for (const [name, each] of Object.entries(process)) {
    const problem = processProblem(name, each);
    if (problem !== undefined) {
      throw new ConfigError(`Cannot read configuration ${file}: [process.${name}] ${problem}`);
    }
  }
  return { config: { ...config, mcp_port }, warnings };
}
