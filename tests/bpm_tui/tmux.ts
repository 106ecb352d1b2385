/** A real terminal for tests: a tmux server of its own, ended with the test. */
import { ROOT } from "../../lib/build/paths.ts";
import { toolPermissions } from "../../lib/build/tools.ts";

/** Whether tmux is there. */
export function hasTmux(): boolean {
  return ["/usr/bin/tmux", "/bin/tmux"].some((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

/** No screen takes longer to come. */
const LIMIT_MS = 20_000;

/** A session with one window. */
export class Tmux implements AsyncDisposable {
  readonly #socket = `hostkit-${crypto.randomUUID().slice(0, 8)}`;

  /** Starts `command` in a window of a size. */
  static async start(
    command: readonly string[],
    size: { columns: number; rows: number },
    env: Record<string, string> = {},
  ): Promise<Tmux> {
    const tmux = new Tmux();
    const words = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    // The exit code stays on the screen when the program has ended.
    // The test runner wants no colours for itself.
    const line = `env -u NO_COLOR ${words.join(" ")} ${
      command.join(" ")
    }; echo "ended with $?"; stty -a | grep -o -- '-\\?icanon'; cat`;
    const { columns, rows } = size;
    await tmux.#run(
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      "-x",
      `${columns}`,
      "-y",
      `${rows}`,
      "sh",
      "-c",
      line,
    );
    await tmux.#run("set", "-g", "escape-time", "0");
    return tmux;
  }

  /** Types keys by tmux's names; text is typed as it is with `literal`. */
  async keys(...names: string[]): Promise<void> {
    await this.#run("send-keys", ...names);
  }

  async type(text: string): Promise<void> {
    await this.#run("send-keys", "-l", text);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#run("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** The screen's rows; with `styles` as SGR sequences. */
  async screen(styles = false): Promise<string> {
    return await this.#run("capture-pane", "-p", ...styles ? ["-e"] : []);
  }

  /** The screen, and what has left it at its top. */
  async history(): Promise<string> {
    return await this.#run("capture-pane", "-p", "-J", "-S", "-");
  }

  /** Waits until the screen is as wanted; returns it. @throws With the screen that was there at last. */
  async until(wanted: RegExp | ((screen: string) => boolean)): Promise<string> {
    const fits = typeof wanted === "function" ? wanted : (screen: string) => wanted.test(screen);
    const limit = performance.now() + LIMIT_MS;
    for (;;) {
      const screen = await this.screen();
      if (fits(screen)) return screen;
      if (performance.now() > limit) throw new Error(`the screen never became ${wanted}:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** What tmux knows of the pane, such as `#{alternate_on}` or `#{pane_pid}`. */
  async fact(format: string): Promise<string> {
    return (await this.#run("display-message", "-p", format)).trim();
  }

  /** Sets one of tmux' own options. */
  async option(name: string, value: string): Promise<void> {
    await this.#run("set", "-g", name, value);
  }

  /** What was copied last. @throws {Error} When nothing was. */
  async copied(): Promise<string> {
    return await this.#run("show-buffer");
  }

  /** Waits until a fact is as wanted. */
  async untilFact(format: string, wanted: string): Promise<void> {
    const limit = performance.now() + LIMIT_MS;
    while (await this.fact(format) !== wanted) {
      if (performance.now() > limit) throw new Error(`${format} never became ${wanted}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Pid of the program, the window's only child. */
  async program(): Promise<number> {
    const shell = await this.fact("#{pane_pid}");
    for (const { name } of Deno.readDirSync("/proc")) {
      if (/^\d+$/.test(name) && parentOf(name) === shell) return Number(name);
    }
    throw new Error(`the window's shell ${shell} has no child`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run("kill-server").catch(() => undefined); // It may have ended with its last window.
  }

  async #run(...args: string[]): Promise<string> {
    const { TMUX: _mine, ...env } = Deno.env.toObject();
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-L", this.#socket, ...args],
      clearEnv: true,
      env: { ...env, LC_ALL: "C.UTF-8", SHELL: "/bin/sh" },
      stdin: "null",
    }).output();
    if (!success) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}

/** The fourth field of `/proc/PID/stat`, behind a name that may hold anything. */
function parentOf(pid: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ")[1];
  } catch (error) {
    if (error instanceof Error) return undefined; // It has just ended.
    throw error;
  }
}

/** The words that start bpm-tui from source, with exactly its own permissions. */
export function tuiCommand(...args: string[]): string[] {
  return [
    Deno.execPath(),
    "run",
    "--no-prompt",
    ...toolPermissions("bpm-tui"),
    `${ROOT}cmd/bpm-tui/main.ts`,
    ...args,
  ];
}
