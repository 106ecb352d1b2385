/** The wrapper as a process of its own, as `nix-btm run` is one. @module */
import { ROOT } from "../../lib/build/paths.ts";
import { until } from "../keeper/_log.ts";

const PROGRAM = `${ROOT}tests/nix_btm/_wrap_program.ts`;
const LIMIT_MS = 60_000;
/** What the tool may: not everything. */
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-run"];

/** The wrapper around a script of the shell, and a folder for what the script leaves. */
export class Wrapped implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "wrap-" });
  readonly log = `${this.folder}/log`;

  words(...command: string[]): string[] {
    return [
      Deno.execPath(),
      "run",
      "--no-prompt",
      ...PERMISSIONS,
      "--no-check",
      PROGRAM,
      this.log,
      ...command,
    ];
  }

  spawn(command: string[], stdin: "null" | "piped" = "null"): Deno.ChildProcess {
    const [program, ...args] = this.words(...command);
    return new Deno.Command(program!, {
      args,
      cwd: this.folder,
      stdin,
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).spawn();
  }

  async run(...command: string[]): Promise<{ ended: number | string; stdout: string; stderr: string }> {
    return await outcome(this.spawn(command));
  }

  /** Runs a script of the shell that says "ready" in a file as soon as it is. */
  async script(text: string): Promise<Deno.ChildProcess> {
    const child = this.spawn(["sh", "-c", text]);
    await this.has("ready");
    return child;
  }

  async has(name: string): Promise<void> {
    await until(name, () => [...Deno.readDirSync(this.folder)].some((each) => each.name === name));
  }

  /** A program of its own that is the wrapper, for those who type. */
  program(): string {
    const path = `${this.folder}/wrapped`;
    const words = this.words().map((word) => `'${word}'`).join(" ");
    Deno.writeTextFileSync(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
    return path;
  }

  logged(): string {
    return Deno.readTextFileSync(this.log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** How a process ended, by code or by signal, and what it said. */
export async function outcome(child: Deno.ChildProcess) {
  const { code, signal, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { ended: signal ?? code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
