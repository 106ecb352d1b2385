/**
 * Real Nix for tests, in a store of its own below a temporary folder: nothing of the machine's is touched, nobody but
 * this process is needed. Debian's is 2.8.0: no `json-log-path` yet, otherwise the protocol of today.
 * @module
 */
import { until } from "../keeper/_log.ts";
import { expression, type Graph } from "./_graphs.ts";

export * from "./_graphs.ts";

const NIX = "/usr/bin/nix-build";

const FEEDER = new URL("_feeder.ts", import.meta.url).pathname;

/** Whether Nix is there; tests with it are reported as skipped otherwise. */
export const hasNix: boolean = isThere(NIX);

/**
 * Whether a shell of Nix stays where we are. Nix enters its mount namespace once more before it runs one, and that
 * leaves a chroot: the shell would run on the machine's own root.
 */
export const hasNixShells: boolean = hasNix && staysInRoot();

/** No build of a test takes longer, however busy the machine is; the command is killed then. */
const LIMIT_MS = 120_000;

/** What a command of Nix left. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command of Nix with `--log-format internal-json` left. */
export interface Recorded {
  readonly code: number;
  /** Lines of standard error with `@nix ` where they have it. */
  readonly lines: readonly string[];
  /** Paths that it printed. */
  readonly paths: readonly string[];
}

/** Always as long, for paths are cut on screens; the runtime's own names are now and then a digit shorter. */
function newFolder(): string {
  const digits = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  const path = `${Deno.env.get("TMPDIR") ?? "/tmp"}/nix-place-${digits}`;
  Deno.mkdirSync(path, { mode: 0o700 });
  return Deno.realPathSync(path);
}

/** A store with its state, logs, settings and home. */
export class NixPlace implements AsyncDisposable {
  readonly folder: string = newFolder();
  readonly storeFolder = `${this.folder}/store`;
  /** What Nix has to be told by environment variables to stay in this place. */
  readonly env: Readonly<Record<string, string>> = {
    NIX_STORE_DIR: this.storeFolder,
    NIX_STATE_DIR: `${this.folder}/state`,
    NIX_LOG_DIR: `${this.folder}/log`,
    NIX_CONF_DIR: `${this.folder}/conf`,
    NIX_REMOTE: "local",
    HOME: `${this.folder}/home`,
    XDG_CACHE_HOME: `${this.folder}/cache`,
    TMPDIR: `${this.folder}/tmp`,
    PATH: "/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
  };
  #files = 0;

  /** @param settings Further lines of `nix.conf`. */
  constructor(settings: Readonly<Record<string, string>> = {}) {
    for (const name of ["conf", "home", "cache", "tmp"]) Deno.mkdirSync(`${this.folder}/${name}`);
    const conf = {
      "sandbox": "false",
      "build-users-group": "",
      "substituters": "",
      "require-sigs": "false",
      "experimental-features": "nix-command flakes ca-derivations",
      // Another requester looks each second whether a build has ended; five are usual.
      "build-poll-interval": "1",
      // Names of flakes are looked up nowhere.
      "flake-registry": "",
      // A cache is asked again for what it did not have before.
      "narinfo-cache-negative-ttl": "0",
      ...settings,
    };
    const lines = Object.entries(conf).map(([key, value]) => `${key} = ${value}\n`);
    Deno.writeTextFileSync(`${this.folder}/conf/nix.conf`, lines.join(""));
  }

  /** Writes the expression of a graph; returns its path. */
  write(graph: Graph): string {
    const path = `${this.folder}/graph-${++this.#files}.nix`;
    Deno.writeTextFileSync(path, expression(graph));
    return path;
  }

  /** Words for `nix-build` that ask for the graph's roots and leave no link behind. */
  build(graph: Graph): string[] {
    return [this.write(graph), "--no-out-link", ...graph.roots.flatMap((root) => ["-A", root])];
  }

  /** A file for `gate` of a node that is not there yet; `openGate` makes it. */
  gate(name: string): string {
    return `${this.folder}/gate-${name}`;
  }

  openGate(name: string): void {
    Deno.writeTextFileSync(this.gate(name), "");
  }

  /** Names of derivations whose builder runs now, from the folders in which they build, sorted. */
  building(): string[] {
    const names = [...Deno.readDirSync(`${this.folder}/tmp`)].map(({ name }) => name);
    return names.flatMap((name) => /^nix-build-(.+)\.drv-\d+$/.exec(name)?.[1] ?? []).sort();
  }

  /** A command in this place's environment and nothing else of the machine's. */
  command(program: string, args: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
    const { env, ...others } = options;
    return new Deno.Command(program, {
      cwd: this.folder,
      stdin: "null",
      ...others,
      args: [...args],
      clearEnv: true,
      env: { ...this.env, ...env },
    });
  }

  /** Runs a command to its end. */
  async run(program: string, args: readonly string[], options: Deno.CommandOptions = {}): Promise<Ran> {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const piped = { stdout: "piped", stderr: "piped", signal, ...options } as const;
    const { code, stdout, stderr } = await this.command(program, args, piped).output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  /** Runs a command that must succeed; returns the lines that it printed. @throws With what it said. */
  async lines(program: string, args: readonly string[]): Promise<string[]> {
    const { code, stdout, stderr } = await this.run(program, args);
    if (code !== 0) throw new Error(`Cannot run ${program} ${args.join(" ")}: exit ${code}\n${stderr}`);
    return linesOf(stdout);
  }

  /** What `nix-build` with these words tells a monitor. */
  async records(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Recorded> {
    const all = ["--log-format", "internal-json", "-v", ...args];
    const { code, stdout, stderr } = await this.run("nix-build", all, { env });
    return { code, lines: linesOf(stderr), paths: linesOf(stdout) };
  }

  /**
   * Starts `nix-build` in a separate process that tells a monitor's socket what it does, as Nix 2.30 and later do by
   * themselves. Standard output and error are piped; the records are on standard error as well.
   */
  feed(
    socket: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Deno.ChildProcess {
    const words = [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-net",
      "--allow-run",
      FEEDER,
      socket,
    ];
    const all = [...words, "nix-build", "--log-format", "internal-json", "-v", ...args];
    return this.command(Deno.execPath(), all, { env, stdout: "piped", stderr: "piped" }).spawn();
  }

  /** The `.drv` files of a graph's roots. */
  async derivations(graph: Graph): Promise<string[]> {
    const attributes = graph.roots.flatMap((root) => ["-A", root]);
    return await this.lines("nix-instantiate", [this.write(graph), ...attributes]);
  }

  /** Direct inputs by derivation, each by its file's name without hash: `{"top": ["left", "right"]}`. */
  async edges(graph: Graph): Promise<Record<string, string[]>> {
    const roots = await this.derivations(graph);
    const shown = await this.lines("nix", ["show-derivation", "-r", ...roots]);
    const all: Record<string, { inputDrvs: Record<string, unknown> }> = JSON.parse(shown.join("\n"));
    const named = Object.entries(all).map(([path, { inputDrvs }]) =>
      [nameOf(path), Object.keys(inputDrvs).map(nameOf).sort()] as const
    );
    return Object.fromEntries(named.sort(([a], [b]) => a < b ? -1 : 1));
  }

  /** Takes paths out of the store, so that they are built or fetched again. */
  async forget(paths: readonly string[]): Promise<void> {
    await this.lines("nix-store", ["--delete", "--ignore-liveness", ...paths]);
  }

  /** A binary cache of this place's own store over HTTP that holds these paths with what they need. */
  async serveCache(paths: readonly string[]): Promise<NixCache> {
    const folder = `${this.folder}/binary-cache-${++this.#files}`;
    await this.lines("nix", ["copy", "--to", `file://${folder}`, ...paths]);
    return new NixCache(folder);
  }

  /** A nix-daemon of this place. Commands with its `env` build through it, as on a machine with several users. */
  async startDaemon(): Promise<NixDaemon> {
    const socket = `${this.folder}/daemon-${++this.#files}`;
    const env = { NIX_DAEMON_SOCKET_PATH: socket };
    const child = this.command("nix-daemon", [], { env, stdout: "null", stderr: "null" }).spawn();
    await until("the daemon's socket", () => isThere(socket));
    return new NixDaemon(child, { ...env, NIX_REMOTE: "daemon" });
  }

  /** Removes everything; files of a store are read-only, which hinders all but root. */
  async [Symbol.asyncDispose](): Promise<void> {
    await new Deno.Command("chmod", { args: ["-R", "u+w", this.folder], stderr: "null" }).output();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Who builds for others. */
export class NixDaemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  /** What a command's environment must have beside the place's. */
  readonly env: Readonly<Record<string, string>>;

  constructor(child: Deno.ChildProcess, env: Readonly<Record<string, string>>) {
    this.#child = child;
    this.env = env;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

/** A folder with a binary cache, served on 127.0.0.1. */
export class NixCache implements AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(folder: string) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const { pathname } = new URL(request.url);
      this.requests.push(pathname);
      try {
        return new Response(await Deno.readFile(folder + pathname));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return new Response("not here\n", { status: 404 });
        throw error;
      }
    });
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Words for `nix-build` that let it fetch from here. */
  get options(): string[] {
    return ["--option", "substituters", this.url];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** `chain-1` of `/…/HASH-chain-1.drv`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 34).replace(/\.drv$/, "");
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Does what Nix does, and looks where that leads; who may not do it stays where they are. */
function staysInRoot(): boolean {
  const stat = ["stat", "--format=%d:%i", "/"];
  const entered = new Deno.Command("nsenter", {
    args: ["--mount=/proc/self/ns/mnt", ...stat],
    stderr: "null",
  })
    .outputSync();
  const here = new Deno.Command(stat[0]!, { args: stat.slice(1) }).outputSync();
  const read = ({ stdout }: Deno.CommandOutput) => new TextDecoder().decode(stdout);
  return !entered.success || read(entered) === read(here);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
