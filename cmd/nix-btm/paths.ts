/** Where the tool's sockets and files lie. @module */
import { option } from "../../lib/cli/mod.ts";
import { optionalText } from "../../lib/config/mod.ts";
import { makeFolder } from "../../lib/cli/make_folder.ts";
import { RUNTIME_FOLDER } from "../../lib/nix_btm/folders.ts";

/** Folders of this user's daemon; of the system's for root. */
export interface Folders {
  readonly runtime: string;
  readonly state: string;
}

/**
 * What systemd made for the unit; else `/run/nix-btm` and `/var/lib/nix-btm` for root, and folders below
 * `$XDG_RUNTIME_DIR` and `$XDG_STATE_HOME` for others.
 */
export function foldersOf(
  env: { readonly [name: string]: string | undefined },
  uid: number | null,
): Folders {
  const runtime = env.RUNTIME_DIRECTORY ??
    (uid === 0
      ? "/run/nix-btm"
      : env.XDG_RUNTIME_DIR === undefined
      ? `/tmp/nix-btm-${uid}`
      : `${env.XDG_RUNTIME_DIR}/nix-btm`);
  const state = env.STATE_DIRECTORY ??
    (env.XDG_STATE_HOME !== undefined
      ? `${env.XDG_STATE_HOME}/nix-btm`
      : uid === 0
      ? "/var/lib/nix-btm"
      : `${env.HOME ?? runtime}/.local/state/nix-btm`);
  return { runtime, state };
}

/**
 * Of this process.
 * @throws {Error} When the folder in /tmp, where there is no other, is somebody else's: he would hear what is said in it.
 */
export function folders(): Folders {
  const uid = Deno.uid();
  const found = foldersOf(Deno.env.toObject(), uid);
  if (found.runtime === `/tmp/nix-btm-${uid}`) {
    makeFolder(found.runtime, { ...RUNTIME_FOLDER, mode: 0o700 });
  }
  if (isTrusted(found.runtime, uid)) return found;
  throw new Error(`Cannot use ${found.runtime}: it is not this user's alone; set XDG_RUNTIME_DIR`);
}

/** Runtime folder of the daemon that serves the whole host. */
export const SYSTEM_RUNTIME = foldersOf({}, 0).runtime;

/** Sockets of that name that stand: of this user's daemon, then of the system's. */
function standingSockets(name: string): string[] {
  const uid = Deno.uid();
  const own = foldersOf(Deno.env.toObject(), uid).runtime;
  return socketsIn([...isTrusted(own, uid) ? [own] : [], SYSTEM_RUNTIME], name);
}

/** Sockets of that name in these folders. */
export function socketsIn(folders: readonly string[], name: string): string[] {
  return folders.map((folder) => `${folder}/${name}`).filter((path) => statOf(path)?.isSocket === true);
}

/** The socket that Nix writes to: the first one that somebody answers on, since they stay when a daemon ends. */
export async function logSocket(standing = standingSockets(NIX_SOCKET)): Promise<string | undefined> {
  if (standing.length > 1) {
    for (const path of standing) if (await answers(path)) return path;
  }
  return standing[0];
}

/** Whether somebody listens on a socket. */
export async function answers(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    if (error instanceof Error) return false; // Why matters only when it stays so.
    throw error;
  }
}

/** The daemon's socket for clients: `wanted`, else the one that stands, else where this user's would be. */
export function controlPath(wanted: string | undefined): string {
  return wanted ?? standingSockets(CONTROL_SOCKET)[0] ?? `${folders().runtime}/${CONTROL_SOCKET}`;
}

/** In /tmp anybody could have made the folder. */
function isTrusted(runtime: string, uid: number | null): boolean {
  if (runtime !== `/tmp/nix-btm-${uid}`) return true;
  const found = statOf(runtime);
  return found?.isDirectory === true && found.uid === uid && (found.mode! & 0o022) === 0;
}

/** Undefined when there is nothing, or nothing for us. */
function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** The socket that Nix writes to, in its folder. */
export const NIX_SOCKET = "nix.sock";
/** The socket that clients ask. */
export const CONTROL_SOCKET = "control.sock";

export const NIX_SOCKET_OPTION = option(
  optionalText({
    help:
      "Socket that Nix writes its log to, as json-log-path in nix.conf names it [default: nix.sock in the runtime folder].",
    example: "/tmp/nixbtm.sock",
  }),
  { short: "n", value: "PATH" },
);

export const CONTROL_SOCKET_OPTION = option(
  optionalText({
    help:
      "Socket of the daemon for its clients [default: control.sock in the runtime folder; clients also look in the system's].",
    example: "/tmp/nix-daemon.sock",
  }),
  { short: "d", value: "PATH" },
);

export const LOG_OPTION = option(
  optionalText({
    help: "File for this tool's own log instead of standard error.",
    example: "/tmp/nixbtm.log",
  }),
  { short: "l", value: "PATH" },
);
