/** A systemd of a user for tests, beside whatever started this machine; and running programs to their end. @module */
import { deadline } from "../lib/async/mod.ts";
import { findHierarchies } from "../lib/supervisor/cgroups.ts";

/** For what a busy machine may take its time. */
const PATIENCE_MS = 60_000;

/** Whether a program is there. */
export async function has(program: string): Promise<boolean> {
  return await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
}

export const HAS_ANALYZE = await has("systemd-analyze");
/** Where cgroups of version 2 are. */
const UNIFIED = findHierarchies().find(({ version }) => version === 2)?.base;
/** Whether `UserSystemd` can run here. */
export const HAS_SYSTEMD: boolean = HAS_ANALYZE && UNIFIED !== undefined && Deno.uid() === 0 &&
  await has("unshare") &&
  await Deno.stat("/usr/lib/systemd/systemd").then(() => true, () => false);

/** A folder that goes with its block; `write` returns the path of what it wrote. */
export class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "bpm-unit-" });

  write(name: string, text: string): string {
    Deno.writeTextFileSync(`${this.path}/${name}`, text);
    return `${this.path}/${name}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Of a deno that a unit can name: npx keeps one in a cache, and then a copy of it stands for an installed one. */
export function installedDeno(): string {
  const deno = Deno.execPath();
  if (!deno.includes("/_npx/")) return deno;
  const folder = Deno.makeTempDirSync({ prefix: "bpm-unit-deno-" });
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  Deno.copyFileSync(deno, `${folder}/deno`);
  return `${folder}/deno`;
}

/** Runs a program to its end. */
export async function run(
  command: readonly [string, ...string[]],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  using limit = deadline(PATIENCE_MS);
  const [program, ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env,
    stdin: "null",
    signal: limit.signal,
  })
    .output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

/** A user's systemd that runs beside whatever started this machine: in a mount namespace where one seems to have. */
export class UserSystemd implements AsyncDisposable {
  readonly folder: Folder = new Folder();
  readonly #process: Deno.ChildProcess;
  readonly #cgroup = `${UNIFIED}/hostkit-systemd-${crypto.randomUUID()}`;
  readonly #env = {
    HOME: this.folder.path,
    XDG_CONFIG_HOME: `${this.folder.path}/config`,
    XDG_RUNTIME_DIR: this.folder.path,
    XDG_STATE_HOME: `${this.folder.path}/state`,
  };

  /** It takes its cgroup for the root of all, and moves whatever is there: it has one of its own, and sees no other. */
  constructor() {
    const alone = `mkdir ${this.#cgroup} && echo $$ > ${this.#cgroup}/cgroup.procs`;
    // What the machine's own systemd makes for its units: nodes that stand in the place of what they may not see.
    const inaccessible = "(cd /run/systemd/inaccessible && mkdir dir && touch reg && mkfifo fifo && " +
      "mknod chr c 0 0 && mknod blk b 0 0)";
    const booted = "mkdir -p /run/systemd && mount -t tmpfs none /run/systemd && " +
      `mkdir /run/systemd/system /run/systemd/inaccessible && ${inaccessible} && ` +
      "mount -t cgroup2 none /sys/fs/cgroup && exec /usr/lib/systemd/systemd --user";
    this.#process = new Deno.Command("/bin/sh", {
      args: ["-c", `${alone} && exec unshare --mount --cgroup sh -c '${booted}'`],
      env: this.#env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  run(...command: [string, ...string[]]): Promise<{ code: number; out: string; err: string }> {
    return run(
      ["nsenter", "--mount", "--cgroup", "--root", "--wd", "--target", `${this.#process.pid}`, ...command],
      this.#env,
    );
  }

  async show(unit: string, property: string): Promise<string> {
    const { out } = await this.run("systemctl", "--user", "show", "--value", "--property", property, unit);
    return out.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await run(["find", this.#cgroup, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], {});
    this.folder[Symbol.dispose]();
  }
}
