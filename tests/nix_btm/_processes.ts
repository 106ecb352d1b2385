/** Processes for tests: as plain data, and as files of a `/proc` below a temporary folder. @module */
import { evidenceOf, FOLDER_RULES } from "../../lib/nix_btm/processes/evidence.ts";
import type { NixRules, SeenProcess } from "../../lib/nix_btm/processes/assemble.ts";
import { USER_RULES } from "../../lib/nix_btm/processes/builder_users.ts";
import { parseStat } from "../../lib/nix_btm/processes/stat.ts";

export const RULES: NixRules = { ...USER_RULES, ...FOLDER_RULES, storeFolder: "/nix/store" };

/** 32 characters as Nix writes hashes. */
export const HASH = "0123456789abcdfghijklmnpqrsvwxyz";

/** What is set of a process; the rest is as of an idle one. */
export interface Made {
  readonly pid: number;
  readonly ppid?: number;
  readonly name?: string;
  readonly uid?: number;
  readonly state?: string;
  readonly terminal?: number;
  readonly session?: number;
  readonly start?: number;
  readonly cwd?: string;
  readonly cgroup?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Ticks of itself, and of children that it has waited for. */
  readonly cpu?: readonly [own: number, ended: number];
  readonly pages?: number;
  readonly io?: readonly [read: number, written: number];
}

/** Text of `/proc/PID/stat`, as proc(5) numbers its fields. */
export function statText(made: Made): string {
  const { pid, ppid = 1, name = "sh", state = "S", terminal = 0, session = pid, start = 100 + pid } = made;
  const [own, ended] = made.cpu ?? [0, 0];
  const fields: (string | number)[] = Array(52).fill(0);
  const set: Record<number, string | number> = {
    3: state,
    4: ppid,
    5: pid,
    6: session,
    7: terminal,
    14: own,
    16: ended,
    20: 1,
    22: start,
    23: 4096 * 1000,
    24: made.pages ?? 10,
  };
  for (const [at, value] of Object.entries(set)) fields[Number(at)] = value;
  return `${pid} (${name}) ${fields.slice(3).join(" ")}\n`;
}

/** The process as a watch sees it; ticks are hundredths of a second. */
export function seen(made: Made): SeenProcess {
  const stat = parseStat(statText(made), { ticksPerSecond: 100, pageBytes: 4096 })!;
  return { stat, evidence: evidenceOf(texts(made), RULES) };
}

function texts({ uid = 0, cgroup, cwd, env = {}, args = [] }: Made) {
  return {
    uid,
    cgroup,
    folder: cwd,
    environment: Object.entries(env).map(([name, value]) => `${name}=${value}\0`).join(""),
    commandLine: args.map((arg) => `${arg}\0`).join(""),
  };
}

/** Files of a machine. */
export class Machine implements AsyncDisposable {
  readonly root: string = Deno.makeTempDirSync({ prefix: "nix-btm-proc-" });

  constructor() {
    this.file("/proc/stat", "cpu 0 0\nbtime 1000\n");
  }

  file(path: string, text: string): void {
    Deno.mkdirSync(`${this.root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    Deno.writeTextFileSync(this.root + path, text);
  }

  put(made: Made): void {
    const folder = `/proc/${made.pid}`;
    this.end(made.pid);
    const { uid, cgroup, folder: cwd, environment, commandLine } = texts(made);
    this.file(`${folder}/stat`, statText(made));
    this.file(`${folder}/status`, `Name:\tx\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`);
    this.file(`${folder}/environ`, environment);
    this.file(`${folder}/cmdline`, commandLine);
    if (cgroup !== undefined) this.file(`${folder}/cgroup`, cgroup);
    if (cwd !== undefined) Deno.symlinkSync(cwd, `${this.root}${folder}/cwd`);
    if (made.io === undefined) return;
    this.file(`${folder}/io`, `rchar: 1\nread_bytes: ${made.io[0]}\nwrite_bytes: ${made.io[1]}\n`);
  }

  end(pid: number): void {
    try {
      Deno.removeSync(`${this.root}/proc/${pid}`, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}
