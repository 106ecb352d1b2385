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
    help: "Passes when a GET of this URL is answered with a status from 200 to 399.",
    example: "http://127.0.0.1:8080/health",
  }),
  tcp: optionalText({ help: "Passes when this address accepts a connection.", example: "127.0.0.1:8080" }),
  log: optionalText({
    help: "Passes when a line of its output matches this regular expression.",
    example: "listening on",
  }),
  exec: strings({ help: "Passes when this program exits with 0.", example: ["test", "-e", "ready"] }),
  notify: toggle({
    help: "Passes when it sends READY=1 by sd_notify(3); as a liveness probe, WATCHDOG=1 in every period.",
    fallback: false,
  }),
  every: optionalDuration({ help: "Pause between two probes.", example: "5s", minMs: 1 }),
  within: optionalDuration({ help: "A probe that takes longer has failed.", example: "2s", minMs: 1 }),
  failures: optionalInteger({
    help: "Restart after this many failed probes in a row.",
    example: "3",
    min: 1,
    max: 1_000,
  }),
};

export const BPM_CONFIG = table({
  mcp_port: optionalInteger({
    help: "Port of the MCP endpoint on 127.0.0.1; required.",
    example: "3001",
    ...PORT,
  }),
  dev_timeout_hours: integer({
    help: "Dev mode ends after this many hours without a tool call.",
    fallback: 3,
    min: 0,
    max: 87_600,
  }),
  dev_crash_wait_seconds: integer({
    help: "In dev mode, wait before the restart that follows a first crash.",
    fallback: 120,
    ...SECONDS,
  }),
  release_crash_backoff_initial_seconds: integer({
    help: "Wait before the first restart; each later wait is 1.5 times as long.",
    fallback: 1,
    ...SECONDS,
  }),
  release_crash_backoff_max_seconds: integer({
    help: "The longest wait before a restart.",
    fallback: 300,
    ...SECONDS,
  }),
  host: text({
    help: "Address of the MCP endpoint; any but loopback requires token_file.",
    fallback: "127.0.0.1",
  }),
  token_file: optionalText({
    help: "File with the token that clients must send.",
    example: "/run/bpm/token",
  }),
  log_instances: integer({
    help: "Logs of this many ended instances are kept for each process.",
    fallback: 10,
    min: 1,
    max: 10_000,
  }),
  log_mib: integer({ help: "Size limit of one instance's log in MiB.", fallback: 10, min: 1, max: 65_536 }),
  log_total_mib: integer({
    help: "Size limit of all ended instances of one process in MiB; the newest is always kept.",
    fallback: 256,
    min: 1,
    max: 1_048_576,
  }),
  process: namedTables({
    type: text({
      help: "rust is built by cargo; npm and command run their command as it is.",
      fallback: "command",
      oneOf: PROCESS_TYPES,
    }),
    args: strings({ help: "Arguments of a rust program.", example: ["--port", "8080"] }),
    command: strings({ help: "Program and arguments, for npm and command.", example: ["npm", "run", "dev"] }),
    package: optionalText({ help: "Package of the workspace, for rust.", example: "server" }),
    bin: optionalText({ help: "Binary of the package, for rust.", example: "server" }),
    build: strings({
      help: "Command that runs before each start, for npm and command.",
      example: ["make"],
    }),
    url: optionalText({ help: "Where to open it in a browser.", example: "http://127.0.0.1:8080" }),
    expand: toggle({
      help: "Replaces ${NAME} and ${NAME:-default} in all texts by variables of the manager's environment.",
      fallback: false,
    }),
    cwd: optionalText({ help: "Working directory, relative to the project's folder.", example: "server" }),
    env: stringMap({ help: "Environment variables.", example: { PORT: "8080" } }),
    env_file: strings({
      help: "Files of environment variables; later ones win, and the values are masked in logs.",
      example: [".env"],
    }),
    depends_on: stringMap({
      help: `Processes that must first be ${
        CONDITIONS.slice(0, -1).join(", ")
      }, or have printed a line that matches log:REGEX.`,
      example: { database: "ready" },
    }),
    ready: table(PROBE, { help: "Readiness probe; without one it is ready as soon as it runs." }),
    live: table(PROBE, { help: "Liveness probe; when it fails, the process is restarted." }),
    ready_within: optionalDuration({
      help: "Restart it when it is not ready by then.",
      example: "30s",
      minMs: 1,
    }),
    restart: optionalText({
      help: "Restart policy: always, on-failure or never; the default is always, with a schedule never.",
      example: "always",
    }),
    backoff: table({
      first: optionalDuration({ help: "Wait before the first restart.", example: "1s" }),
      factor: optionalNumber({
        help: "Each later wait is this many times as long.",
        example: "2",
        min: 1,
        max: 100,
      }),
      max: optionalDuration({ help: "The longest wait.", example: "1m" }),
      jitter: optionalNumber({
        help: "Waits are shortened at random by up to this fraction.",
        example: "0.25",
        min: 0,
        max: 1,
      }),
    }, { help: "Backoff of its own, instead of the project's." }),
    healthy_after: optionalDuration({
      help: "Once it has run for so long, earlier failures no longer count.",
      example: "10m",
    }),
    max_failures: optionalInteger({
      help: "Give up after this many failures in a row.",
      example: "5",
      min: 1,
      max: 1_000_000,
    }),
    grace: optionalDuration({ help: "Grace period: time between stop_signal and SIGKILL.", example: "5s" }),
    stop_signal: text({ help: "Signal that asks it to stop.", fallback: "SIGTERM", oneOf: STOP_SIGNALS }),
    autostart: optionalToggle({
      help: "Whether it starts with the manager; the default is yes, with a schedule no.",
      example: false,
    }),
    groups: strings({
      help: "Groups that it belongs to; commands take @NAME for all of a group.",
      example: ["web"],
    }),
    replicas: integer({
      help: "How many run at once, as NAME.1, NAME.2 ..., with their number in REPLICA.",
      fallback: 1,
      min: 1,
      max: 100,
    }),
    port: optionalInteger({
      help: "Port that it opens itself, given to it in PORT; replicas get the next ones. 0 picks a free one.",
      example: "8080",
      ...PORT,
    }),
    schedule: table({
      cron: optionalText({
        help: "Starts it at these times, in the syntax of crontab(5).",
        example: "0 3 * * *",
      }),
      every: optionalDuration({ help: "Starts it at this interval.", example: "10m", minMs: 1_000 }),
      time_zone: optionalText({
        help: "Time zone of cron; the machine's by default.",
        example: "Europe/Berlin",
      }),
      overlap: text({
        help: "When it still runs: skip this start, or restart it.",
        fallback: "skip",
        oneOf: ["skip", "restart"],
      }),
    }, { help: "Schedule." }),
    watch: table({
      paths: strings({
        help: "Restarts it when one of these files changes.",
        example: ["src/**/*.ts", "package.json"],
      }),
      ignore: strings({ help: "Changes of these are ignored.", example: ["**/*.test.ts"] }),
      debounce: optionalDuration({
        help: "Waits until nothing has changed for so long.",
        example: "200ms",
        minMs: 1,
      }),
      cascade: toggle({ help: "Whether its dependants are restarted after it.", fallback: false }),
    }, { help: "File watch." }),
    limits: table({
      memory: optionalSize({
        help: "Memory of it and its descendants together.",
        example: "512MiB",
        minBytes: 4_096,
      }),
      cpus: optionalNumber({
        help: "CPU time, in CPUs.",
        example: "1.5",
        min: 0.01,
        max: 4_096,
      }),
      processes: optionalInteger({ help: "Processes and threads.", example: "200", min: 1, max: 4_194_304 }),
    }, { help: "Limits that cgroups enforce." }),
    rlimits: stringMap({
      help: `Limits of setrlimit(2) as SOFT:HARD, or one number for both: ${RESOURCE_NAMES.join(", ")}.`,
      example: { nofile: "4096:65536", core: "unlimited" },
    }),
    user: optionalText({ help: "Runs as this user, by name or number.", example: "www-data" }),
    group: optionalText({ help: "Runs with this group instead of the user's.", example: "www-data" }),
    umask: optionalText({ help: "File mode creation mask, in octal.", example: "027" }),
    env_command: stringMap({
      help:
        "Environment variables whose values these shell commands print, run before each start; masked in logs.",
      example: { DB_PASSWORD: "pass show db" },
    }),
    stdin: toggle({ help: "Whether input can be sent to it.", fallback: false }),
    tty: toggle({ help: "Whether it gets a terminal.", fallback: false }),
    lifetime: text({
      help:
        "session: ends with the manager, however that ends; project: survives its crash; persistent: survives its stop too.",
      fallback: "project",
      oneOf: ["session", "project", "persistent"],
    }),
    listen: optionalText({
      help: "Numeric address that the manager keeps open for it, so that restarts lose no request.",
      example: "127.0.0.1:8080",
    }),
    protocol: text({ help: "Protocol of its clients there.", fallback: "http", oneOf: ["http", "tcp"] }),
    takes_sockets: toggle({
      help: "Whether it accepts sockets that are passed to it (LISTEN_FDS).",
      fallback: false,
    }),
    takes_port: toggle({ help: "Whether it listens on the port given in PORT.", fallback: false }),
    swap: text({
      help: "How restarts keep its socket; auto picks the way.",
      fallback: "auto",
      oneOf: ["auto", "interposer", "proxy"],
    }),
    drain: duration({
      help: "After a restart, how long the old instance may take to finish its requests.",
      fallback: "10s",
    }),
    overlap: optionalToggle({
      help: "Whether the old instance runs until the new one is ready; by default, when it has listen.",
      example: true,
    }),
    nice: optionalInteger({ help: "Priority from -20 to 19.", example: "10", min: -20, max: 19 }),
    when_full: text({
      help: "When its log is full: drop the oldest output, or block the process so that nothing is lost.",
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
