/** `nix-btm run` and `pipe` around real Nix, in a store of its own, with folders of its own. For tests. @module */
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { Tmux } from "../bpm_tui/tmux.ts";
import { NixPlace } from "../nix/_nix.ts";

const [PROGRAM, ...ARGS] = toolCommand("nix-btm");

/** What a command left. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Scene implements AsyncDisposable {
  readonly place = new NixPlace();
  readonly env: Readonly<Record<string, string>> = {
    ...this.place.env,
    RUNTIME_DIRECTORY: `${this.place.folder}/run`,
    STATE_DIRECTORY: `${this.place.folder}/history`,
    NIX_BUILD_SHELL: "/bin/bash",
    TZ: "UTC",
    // The runtime's packages lie where they lie for the test.
    DENO_DIR: denoFolder(),
  };

  /** Runs the tool without a terminal. */
  async run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
    const { code, stdout, stderr } = await this.spawn(words, env).output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  /** Starts it. */
  spawn(words: readonly string[], env: Readonly<Record<string, string>> = {}): Deno.ChildProcess {
    return new Deno.Command(PROGRAM, {
      args: [...ARGS, ...words],
      cwd: this.place.folder,
      env: { ...this.env, ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** A program that is the tool in this place, for those who type. */
  program(): string {
    const path = `${this.place.folder}/nix-btm`;
    const line = `exec ${[PROGRAM, ...ARGS].map((word) => `'${word}'`).join(" ")} "$@"`;
    Deno.writeTextFileSync(path, `#!/bin/sh\n${this.#exports()}\n${line}\n`, { mode: 0o755 });
    return path;
  }

  /** A person's shell in which a line was typed; `nix-btm` in it is the tool. Behind it stands its code as `code=0`. */
  async type(line: string, { columns, rows } = { columns: 100, rows: 24 }): Promise<Tmux> {
    const tmux = await Tmux.start(["bash", "--norc", "--noprofile", "-i"], { columns, rows }, {
      PS1: "'code=$? '",
      TERM: "xterm-256color",
    });
    await tmux.until(/code=0/);
    // Nix that is typed stays in the place as well.
    const place = `${this.place.folder}/environment`;
    Deno.writeTextFileSync(place, this.#exports());
    await tmux.type(
      `. ${place}; clear; cd ${this.place.folder}; ${line.replaceAll("nix-btm", this.program())}`,
    );
    await tmux.keys("Enter");
    return tmux;
  }

  #exports(): string {
    return Object.entries(this.env).map(([key, value]) => `export ${key}='${value}'\n`).join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place[Symbol.asyncDispose]();
  }
}

function denoFolder(): string {
  const { DENO_DIR, XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  return DENO_DIR ?? `${XDG_CACHE_HOME ?? `${HOME}/.cache`}/deno`;
}
