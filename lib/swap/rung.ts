/** By which way a program is restarted so that no request is lost, and why by that. @module */
import { PROGRAM_HEAD_BYTES, type ProgramKind, programKind } from "./elf.ts";

/** What is known of a program that listens. */
export interface SwapProgram {
  /** As it is started: a path, or a name that `PATH` finds. */
  readonly program: string;
  /** Absolute; where relative paths begin. */
  readonly cwd: string;
  /** Of the program's environment; this process's by default. */
  readonly path?: string;
  /** What its clients speak. */
  readonly protocol: "http" | "tcp";
  /** Declared: it takes sockets that are passed to it (`LISTEN_FDS`). */
  readonly takesSockets?: boolean;
  /** Declared: it listens on the port in `PORT`, or on another that it is told. */
  readonly takesPort?: boolean;
  /** It runs as another user, who may not ask our keeper. */
  readonly changesUser?: boolean;
  /** Declared: the way to take, whatever would be picked. */
  readonly wanted?: "interposer" | "proxy";
}

/** A way of restarting, and how the program comes to its socket on it. */
export interface Rung {
  /**
   * - `inherited`: the program is passed the socket that stays open.
   * - `interposer`: its `bind` is given that socket.
   * - `proxy`: a proxy has it, and the program a private one.
   * - `restart`: none of them can be had; what arrives in between is refused.
   */
  readonly kind: "inherited" | "interposer" | "proxy" | "restart";
  /** The program's socket: passed (`LISTEN_FDS`), given to its `bind`, its own on a port that it is told, or its own. */
  readonly socket: "passed" | "interposed" | "told" | "own";
  /** For people: why this one. */
  readonly reason: string;
}

/** Scripts that are run by scripts that are run by scripts. */
const SCRIPTS_MAX = 4;
/** The loaders of glibc; others do not take an object that was made for it. */
const GLIBC = /\/ld-linux[^/]*\.so\.\d$|\/ld64\.so\.\d$/;

/** Picks the way. Reads the program's file. */
export function chooseRung(program: SwapProgram): Rung {
  const { protocol, takesSockets = false, takesPort = false, wanted } = program;
  if (takesSockets && wanted === undefined) {
    return { kind: "inherited", socket: "passed", reason: "it takes sockets that are passed to it" };
  }
  const { can, reason } = canBeInterposed(program);
  if (wanted === "interposer" || (protocol === "tcp" && wanted === undefined)) {
    if (can) {
      return { kind: "interposer", socket: "interposed", reason: wanted ? `asked for; ${reason}` : reason };
    }
    return { kind: "restart", socket: "own", reason: `${reason}, and what is not HTTP has no other way` };
  }
  const why = wanted === "proxy" ? "asked for" : "clients keep HTTP connections, which only a proxy hands on";
  if (takesPort) {
    return { kind: "proxy", socket: "told", reason: `${why}; it listens on a port that it is told` };
  }
  if (can) return { kind: "proxy", socket: "interposed", reason: `${why}; ${reason}` };
  return { kind: "proxy", socket: "told", reason: `${why}; ${reason}, so it has to take its port from PORT` };
}

function canBeInterposed(
  { program, cwd, path, changesUser = false }: SwapProgram,
): { can: boolean; reason: string } {
  if (changesUser) return { can: false, reason: "it runs as another user" };
  let name = program;
  for (let depth = 0; depth < SCRIPTS_MAX; depth++) {
    const file = findProgram(name, cwd, path ?? Deno.env.get("PATH") ?? "");
    if (file === undefined) return { can: false, reason: `"${name}" is not found` };
    const found = readKind(file);
    if (found.kind === "script") {
      name = interpreterOf(found.interpreter);
      continue;
    }
    if (found.kind === "static") return { can: false, reason: `"${name}" is linked statically` };
    if (found.kind === "unknown") return { can: false, reason: `"${name}" is no program of this machine` };
    if (!GLIBC.test(found.loader)) {
      return { can: false, reason: `"${name}" is loaded by ${found.loader}, not by glibc` };
    }
    if (isPrivileged(file)) return { can: false, reason: `"${name}" gains rights by being run` };
    return { can: true, reason: `"${name}" is linked dynamically` };
  }
  return { can: false, reason: `"${program}" is a script of scripts` };
}

/** `env` is looked through: `#!/usr/bin/env -S node --flag`. */
function interpreterOf([first = "", ...rest]: readonly string[]): string {
  if (!/(^|\/)env$/.test(first)) return first;
  return rest.find((word) => !word.startsWith("-") && !word.includes("=")) ?? first;
}

function findProgram(name: string, cwd: string, path: string): string | undefined {
  const absolute = (file: string) => file.startsWith("/") ? file : `${cwd}/${file}`;
  const places = name.includes("/")
    ? [absolute(name)]
    : path.split(":").map((each) => `${absolute(each)}/${name}`);
  return places.find((file) => {
    const mode = attempt(() => Deno.statSync(file))?.mode ?? 0;
    return (mode & 0o111) !== 0 && attempt(() => Deno.statSync(file))?.isFile === true;
  });
}

function readKind(file: string): ProgramKind {
  return attempt(() => {
    using handle = Deno.openSync(file);
    const head = new Uint8Array(PROGRAM_HEAD_BYTES);
    return programKind(head.subarray(0, handle.readSync(head) ?? 0));
  }) ?? { kind: "unknown" };
}

function isPrivileged(file: string): boolean {
  return ((attempt(() => Deno.statSync(file))?.mode ?? 0) & 0o6000) !== 0;
}

/** What a look at a file gives; `undefined` when it is not there or not for us. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const expected = [Deno.errors.NotFound, Deno.errors.PermissionDenied, Deno.errors.NotADirectory];
    if (expected.some((each) => error instanceof each)) return undefined;
    throw error;
  }
}
