/** What about one process tells that it builds, and what. Pure. @module */
import { parseEnvironment } from "./stat.ts";

/** What is read of a process once for each program that it becomes; what may not be read is undefined. */
export interface ProcessTexts {
  readonly uid: number;
  /** `/proc/PID/cgroup`. */
  readonly cgroup: string | undefined;
  /** Where its working folder is. */
  readonly folder: string | undefined;
  /** `/proc/PID/environ`. */
  readonly environment: string | undefined;
  /** `/proc/PID/cmdline`. */
  readonly commandLine: string | undefined;
}

/** What they tell. */
export interface Evidence {
  readonly uid: number;
  readonly args: readonly string[];
  /** The cgroup that Nix has made for the build, and its paths by controller, `""` for version 2. */
  readonly cgroup: BuildCgroup | undefined;
  /** `NIX_BUILD_TOP`, where no development shell has set it. */
  readonly top: string | undefined;
  /** The build folder that its working folder is in. */
  readonly folder: string | undefined;
  /** `name` of the derivation. */
  readonly name: string | undefined;
  /** Paths of outputs by their names. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Folder of the store that is built for. */
  readonly store: string | undefined;
}

/** A cgroup of one build (Nix' `use-cgroups`). */
export interface BuildCgroup {
  /** Of version 2 where it has one. */
  readonly path: string;
  readonly byController: Readonly<Record<string, string>>;
  /** Hash of the derivation, which newer versions put into the name. */
  readonly hash: string | undefined;
}

/** Where Nix builds. */
export interface FolderRules {
  /** Nix' state folder, whose `builds` newer versions build in. */
  readonly stateFolder: string;
  /** Where a sandbox has its build folder, `sandbox-build-dir`; all builds have the same. */
  readonly sandboxFolder: string;
}

/** As Nix has them where nothing else is configured. */
export const FOLDER_RULES: FolderRules = { stateFolder: "/nix/var/nix", sandboxFolder: "/build" };

/** `nix-build-uid-30001`, `nix-build-pid-12-3`; newer: `nix-build@HASH-30001` (Nix 2.36, Lix). */
const CGROUP = /^(.*\/nix-build(?:-(?:uid|pid)-[\d-]+|@([0-9a-df-np-sv-z]{32})-\d+))(?:\/.*)?$/;

/** Until Nix 2.30 the folder is named after the derivation. */
const NAMED_FOLDER = /^(.*\/nix-build-(.+)\.drv-\d+)(?:\/.*)?$/;

/** Outputs that a derivation may have are named in `outputs`; more than this many is no list of outputs. */
const OUTPUTS_MAX = 64;

/** What is kept of a command line; compilers are given thousands of files. */
const COMMAND_CHARS_MAX = 4_096;

const NONE: ReadonlyMap<string, string> = new Map();

/** What is read of a process, as evidence. */
export function evidenceOf(texts: ProcessTexts, rules: FolderRules): Evidence {
  const text = texts.environment ?? "";
  // Few have it: of the others no part is cut out and kept.
  const environment = text.includes("NIX_BUILD_TOP=") ? parseEnvironment(text) : NONE;
  // Shells for development have all of a build's variables, and are none.
  const isBuild = environment.has("NIX_BUILD_TOP") && !environment.has("IN_NIX_SHELL");
  return {
    uid: texts.uid,
    args: argsOf(texts.commandLine ?? ""),
    cgroup: buildCgroup(texts.cgroup ?? ""),
    top: isBuild ? withoutSlash(environment.get("NIX_BUILD_TOP")!) : undefined,
    folder: texts.folder === undefined ? undefined : buildFolder(texts.folder, rules),
    name: isBuild ? environment.get("name") : undefined,
    outputs: isBuild ? outputsOf(environment) : {},
    store: isBuild ? environment.get("NIX_STORE") : undefined,
  };
}

/** The cgroup made for a build in the text of `/proc/PID/cgroup`; undefined when it is in none. */
export function buildCgroup(text: string): BuildCgroup | undefined {
  if (!text.includes("/nix-build")) return undefined;
  const byController: Record<string, string> = {};
  let hash: string | undefined;
  for (const line of text.split("\n")) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const [, own, named] = CGROUP.exec(path) ?? [];
    if (own === undefined) continue;
    hash ??= named;
    for (const controller of controllers.split(",")) byController[controller] = own;
  }
  const path = byController[""] ?? Object.values(byController)[0];
  return path === undefined ? undefined : { path, byController, hash };
}

/** The folder of a build that a path is in: of itself no proof, anyone may go there. */
export function buildFolder(path: string, { stateFolder, sandboxFolder }: FolderRules): string | undefined {
  const named = NAMED_FOLDER.exec(path)?.[1];
  if (named !== undefined) return named;
  const builds = `${stateFolder}/builds/`;
  if (path.startsWith(builds)) return builds + path.slice(builds.length).split("/")[0];
  return path === sandboxFolder || path.startsWith(`${sandboxFolder}/`) ? sandboxFolder : undefined;
}

/** Name of the derivation in the name of a build's folder. */
export function nameInFolder(path: string): string | undefined {
  return NAMED_FOLDER.exec(path)?.[2];
}

function outputsOf(environment: ReadonlyMap<string, string>): Record<string, string> {
  const names = (environment.get("outputs") ?? "out").split(/\s+/).slice(0, OUTPUTS_MAX);
  return Object.fromEntries(names.flatMap((name) => {
    const path = environment.get(name);
    return path?.startsWith("/") ? [[name, path]] : [];
  }));
}

function argsOf(commandLine: string): string[] {
  const text = commandLine.slice(0, COMMAND_CHARS_MAX).replace(/\0$/, "");
  return text === "" ? [] : text.split("\0");
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}
