/** `nix-btm daemon`: takes the logs of every Nix on this host, and tells clients. @module */
import { accountEntry } from "../../lib/accounts/mod.ts";
import { addressText, type Listener } from "../../ffi/sockets/mod.ts";
import { AGENT_PORT, AGENT_PUSH_SOCKET, parseAgentAddress } from "../../lib/agent_client/mod.ts";
import { ownCommandLine } from "../../lib/build/own_command.ts";
import { startInBackground } from "../../lib/cli/background.ts";
import { command, option, UsageError } from "../../lib/cli/mod.ts";
import { optionalText, text } from "../../lib/config/mod.ts";
import { processLog } from "../../lib/log/mod.ts";
import { makeFolder } from "../../lib/cli/make_folder.ts";
import { RUNTIME_FOLDER } from "../../lib/nix_btm/folders.ts";
import type { parseRemote } from "../../lib/nix_btm/mod.ts";
import { ServiceManager } from "../../lib/systemd/mod.ts";
import { openPort } from "../../lib/swap/mod.ts";
import { isLoopbackName, parseAddress } from "../../lib/web/mod.ts";
import { readGiven } from "./files.ts";
import {
  answers,
  CONTROL_SOCKET,
  CONTROL_SOCKET_OPTION,
  folders,
  LOG_OPTION,
  NIX_SOCKET,
  NIX_SOCKET_OPTION,
} from "./paths.ts";
import { describeWriter } from "./writer.ts";

/** Of the socket that Nix writes to: of every user there may be builds. */
const NIX_MODE = "0666";
/** Where a daemon in the background writes its own log, in the runtime folder. */
const DAEMON_LOG = "daemon.log";

export const daemon = command({
  name: "daemon",
  summary: "take the logs of every Nix on this host, and tell clients",
  description:
    "Listens where nix.conf's json-log-path points (see nix-btm setup), keeps the state of all builds, remembers how long " +
    "they took, and publishes everything to any number of clients. Nix never waits for it. A daemon that is killed and " +
    "started again is found by its clients. The socket stays when it ends: Nix says then that nobody answers, and builds " +
    "on; where there is none it would write a file of that name, and grow it for ever.\n\n" +
    "--http serves /api/v1/state and /api/v1/events, the same as server-sent events that begin with all of it, further " +
    "/api/v1/history, statistics, status, jobs/ID/log and logs/FILE, and /metrics for Prometheus. Clients send the token " +
    "as Authorization: Bearer TOKEN.",
  options: {
    daemonize: option(
      text({ help: "Goes on in the background.", fallback: "false", oneOf: ["true", "false"] }),
      { short: "f", value: "BOOL", complete: ["true", "false"] },
    ),
    nixJsonFilePath: NIX_SOCKET_OPTION,
    daemonSocketPath: CONTROL_SOCKET_OPTION,
    daemonLogPath: LOG_OPTION,
    socketMode: option(
      text({ help: "Permissions of the socket that Nix writes to, in octal.", fallback: NIX_MODE }),
      { value: "MODE" },
    ),
    socketGroup: option(
      optionalText({ help: "Group of both sockets; its members may be clients.", example: "wheel" }),
      { value: "GROUP" },
    ),
    onlyUser: option(
      optionalText({ help: "Takes logs of this user and root alone.", example: "alice" }),
      { value: "USER" },
    ),
    http: option(
      optionalText({
        help: "Serves the state on this address too, as JSON and as events.",
        example: "127.0.0.1:9119",
      }),
      { value: "ADDRESS" },
    ),
    tokenFile: option(
      optionalText({ help: "File with the token that HTTP clients send.", example: "/run/nix-btm/token" }),
      { value: "FILE" },
    ),
    hook: option(
      optionalText({
        help:
          "Shell command for each build that is over; it finds NIX_BTM_NAME, _DERIVATION, _MACHINE, _OUTCOME (succeeded, failed, blocked, cancelled …), _FAILURE, _SECONDS.",
        example: 'notify-send "$NIX_BTM_NAME $NIX_BTM_OUTCOME"',
      }),
      { value: "COMMAND" },
    ),
    host: option(
      optionalText({
        help: "Another host whose daemon is followed: [NAME=]ssh:[USER@]HOST or [NAME=]https://HOST:PORT.",
        example: "ssh:builder1",
      }),
      { value: "HOST", multiple: true },
    ),
    hostTokenFile: option(
      optionalText({
        help: "File with the token that hosts over HTTP are shown.",
        example: "/run/nix-btm/token",
      }),
      { value: "FILE" },
    ),
    usageFrom: option(
      text<string>({
        help: "Telemetry agent that is asked what processes use, or off; /proc tells it where none answers.",
        fallback: `127.0.0.1:${AGENT_PORT}`,
      }),
      { value: "ADDRESS" },
    ),
    agent: option(
      text({
        help: "Socket of the telemetry agent that is told metrics and events, or off.",
        fallback: AGENT_PUSH_SOCKET,
      }),
      { value: "PATH|off", complete: "file" },
    ),
    stateFolder: option(
      optionalText({ help: "Folder of history and logs.", example: "/var/lib/nix-btm" }),
      { value: "DIR" },
    ),
  },
  examples: [
    ["nix-btm daemon", "In the foreground"],
    ["nix-btm daemon -n /tmp/nixbtm.sock -d /tmp/nix-daemon.sock", "On the original's sockets"],
    ["nix-btm daemon --http 127.0.0.1:9119", "With JSON and events over HTTP"],
    ["nix-btm daemon --host ssh:builder1 --host ssh:builder2", "Three hosts in one view"],
  ],
  async run({ options, signal }) {
    if (options.daemonize === "true") return await background(options);
    using stack = new DisposableStack();
    const log = processLog({ file: options.daemonLogPath });
    // What is wrong in the options is told before anything is opened.
    const http = await httpOf(options);
    if (http !== undefined) stack.use(http.listener);
    const { runtime, state } = folders();
    const stateFolder = options.stateFolder ?? state;
    const gid = options.socketGroup === undefined ? undefined : idOf("group", options.socketGroup);
    const { askedCommand, BuildHook, Daemon, openSocket, parseRemote } = await import(
      "../../lib/nix_btm/mod.ts"
    );
    makeFolder(runtime, RUNTIME_FOLDER);
    const ownPath = options.nixJsonFilePath ?? `${runtime}/${NIX_SOCKET}`;
    using services = new ServiceManager();
    const [given] = services.listeners;
    // It stays at the end: where there is none Nix writes a file of that name, and grows it for ever.
    const logs = stack.use(given ?? openSocket(ownPath, { mode: octal(options.socketMode), gid }));
    if (given !== undefined) { for (const text of unused(given, options)) log.warn(text); }
    const controlPath = options.daemonSocketPath ?? `${runtime}/${CONTROL_SOCKET}`;
    const control = stack.use(openSocket(controlPath, { mode: gid === undefined ? 0o600 : 0o660, gid }));
    stack.defer(() => removeSocket(controlPath));
    const hook = options.hook === undefined
      ? undefined
      : new BuildHook(options.hook, (text) => log.warn(text));
    const uid = options.onlyUser === undefined ? undefined : idOf("passwd", options.onlyUser);
    await using _daemon = await Daemon.start({
      logs,
      control,
      http,
      runtimeFolder: runtime,
      clientGid: gid,
      stateFolder,
      hosts: await hostsOf(options, parseRemote),
      usageFrom: options.usageFrom === "off" ? undefined : parseAgentAddress(options.usageFrom),
      agent: options.agent === "off" ? undefined : options.agent,
      ...(uid === undefined ? {} : { mayConnect: (peer) => peer.uid === uid || peer.uid === 0 }),
      describe: (peer) => describeWriter(peer, askedCommand),
      onProblem: (text) => log.warn(text),
      ...(hook === undefined ? {} : { onBuildEnd: (job) => hook.run(job) }),
    });
    log.info("taking logs of Nix", {
      socket: addressText(logs.address),
      clients: controlPath,
      state: stateFolder,
      ...(http === undefined ? {} : { http: addressText(http.listener.address) }),
    });
    services.ready(`taking logs of Nix on ${addressText(logs.address)}`);
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    services.stopping("ending the logs");
    return 0;
  },
});

/** What says how to open a socket, when systemd has opened it. */
function unused(
  { address }: Listener,
  { nixJsonFilePath, socketMode }: {
    readonly nixJsonFilePath: string | undefined;
    readonly socketMode: string;
  },
): string[] {
  const path = addressText(address);
  return [
    ...nixJsonFilePath === undefined || nixJsonFilePath === path
      ? []
      : [`--nix-json-file-path ${nixJsonFilePath} is not used: systemd has opened ${path}`],
    ...socketMode === NIX_MODE
      ? []
      : [`--socket-mode ${socketMode} is not used: the unit of ${path} says it as SocketMode=`],
  ];
}

/**
 * The same without its end: in a session of its own, on nobody's terminal. What it says goes to a file.
 * @throws {Error} When it does not come up.
 */
async function background(
  { daemonSocketPath, daemonLogPath }: {
    readonly daemonSocketPath: string | undefined;
    readonly daemonLogPath: string | undefined;
  },
): Promise<number> {
  const { runtime } = folders();
  const control = daemonSocketPath ?? `${runtime}/${CONTROL_SOCKET}`;
  const logPath = daemonLogPath ?? `${runtime}/${DAEMON_LOG}`;
  if (await answers(control)) {
    throw new Error(`Cannot listen on ${control}: Address already in use, a daemon answers there`);
  }
  if (daemonLogPath === undefined) makeFolder(runtime, RUNTIME_FOLDER);
  const [program, ...words] = ownCommandLine();
  const kept = words.filter((word, at) =>
    !/^(-f|--daemonize)(=.*)?$/.test(word) && !/^(-f|--daemonize)$/.test(words[at - 1] ?? "")
  );
  const log = daemonLogPath === undefined ? ["--daemon-log-path", logPath] : [];
  await startInBackground([program!, ...kept, ...log], () => answers(control), { otherMs: 0 });
  return 0;
}

async function httpOf(
  { http, tokenFile }: { readonly http: string | undefined; readonly tokenFile: string | undefined },
) {
  if (http === undefined) return undefined;
  const address = parseAddress(http);
  if (address.kind !== "tcp") throw new UsageError(`--http is "${http}", expected HOST:PORT`);
  const token = await tokenOf(tokenFile);
  if (!isLoopbackName(address.host) && token === undefined) {
    throw new UsageError(`--http is "${http}": other hosts reach it, and there is no --token-file`);
  }
  return { listener: openPort(address), token };
}

/** @throws {Error} Also when nothing is in it: what nobody has to know protects nothing. */
async function tokenOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const token = new TextDecoder().decode(await readGiven("token", file)).trim();
  if (token === "") throw new Error(`Cannot read token ${file}: it is empty`);
  return token;
}

async function hostsOf(
  { host, hostTokenFile }: { readonly host: readonly string[]; readonly hostTokenFile: string | undefined },
  parse: typeof parseRemote,
) {
  const token = await tokenOf(hostTokenFile);
  return host.map((text) => {
    try {
      return parse(text, token);
    } catch (error) {
      throw error instanceof SyntaxError ? new UsageError(error.message) : error;
    }
  });
}

function octal(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return parseInt(text, 8);
  throw new UsageError(`--socket-mode is "${text}", expected one such as 0660`);
}

function idOf(database: "passwd" | "group", name: string): number {
  const entry = accountEntry(database, name);
  if (entry !== undefined) return Number(entry[2]);
  throw new UsageError(`there is no ${database === "group" ? "group" : "user"} "${name}"`);
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
