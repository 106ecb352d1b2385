/** The variables of a process: from files and commands, read anew before each start, and its own. @module */
import type { ProcessConfig } from "./config.ts";
import { parseEnvFile } from "../services/mod.ts";

/** What a command needs that asks a person for a password, for example. */
const COMMAND_LIMIT_MS = 60_000;

export class Environment {
  readonly #config: Pick<ProcessConfig, "env" | "env_file" | "env_command">;
  readonly #folder: string;
  /** What is given by whoever makes the process one of several. */
  readonly #own: Readonly<Record<string, string>>;
  #commanded: Readonly<Record<string, string>> = {};
  readonly #secrets: Set<string>;

  /** @param secrets Gets all values that must not be shown: those that come from files and commands. */
  constructor(
    config: Pick<ProcessConfig, "env" | "env_file" | "env_command">,
    { folder, secrets, own = {} }: {
      readonly folder: string;
      readonly secrets: Set<string>;
      readonly own?: Readonly<Record<string, string>>;
    },
  ) {
    this.#config = config;
    this.#folder = folder;
    this.#own = own;
    this.#secrets = secrets;
  }

  /** Whether there is something to ask for before a start. */
  get isAsked(): boolean {
    return Object.keys(this.#config.env_command).length > 0;
  }

  /** The variables now, later ones before earlier: files in order, commands, its own. @throws {SyntaxError} On a bad file. */
  read(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const file of this.#config.env_file) {
      const path = file.startsWith("/") ? file : `${this.#folder}/${file}`;
      Object.assign(found, parseEnvFile(readText(path), path));
    }
    Object.assign(found, this.#commanded);
    for (const value of Object.values(found)) this.#secrets.add(value);
    return { ...found, ...this.#own, ...this.#config.env };
  }

  /** Runs the commands, one after the other. @throws {Error} When one fails, with its last words. */
  async ask(): Promise<void> {
    const found: Record<string, string> = {};
    for (const [name, script] of Object.entries(this.#config.env_command)) {
      found[name] = await this.#said(name, script);
    }
    this.#commanded = found;
  }

  async #said(name: string, script: string): Promise<string> {
    const signal = AbortSignal.timeout(COMMAND_LIMIT_MS);
    const command = new Deno.Command("/bin/sh", {
      args: ["-c", script],
      cwd: this.#folder,
      env: { ...this.#config.env },
      stdin: "null",
      signal,
    });
    const { success, code, stdout, stderr } = await command.output();
    if (success) return new TextDecoder().decode(stdout).replace(/\r?\n$/, "");
    const words = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    const how = signal.aborted ? `it took longer than ${COMMAND_LIMIT_MS / 1_000} s` : `exit code ${code}`;
    throw new Error(`Cannot ask for ${name} with "${script}": ${how}${words === "" ? "" : `: ${words}`}`);
  }
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    const found = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new SyntaxError(`Cannot read environment ${path}: ${found}`, { cause });
  }
}
