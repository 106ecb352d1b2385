/**
 * What Nix itself tells of its running builds: a JSON file for each in `active-builds` of its state folder (Nix 2.34).
 * Every field may be missing or of another kind; such a field is not known. Pure.
 * @module
 */
import { basename } from "node:path/posix";

/** One build as Nix tells it. */
export interface ActiveBuild {
  /** The builder. */
  readonly mainPid: number;
  /** File name of the derivation, with its hash. */
  readonly derivation: string | undefined;
  /** Of the process that builds. */
  readonly nixPid: number | undefined;
  /** Who asked for it, through the daemon. */
  readonly clientUid: number | undefined;
  /** Absolute folder of its cgroup. */
  readonly cgroup: string | undefined;
  /** Unix seconds. */
  readonly startSeconds: number | undefined;
}

/** Undefined when the text tells of no process: it is being written, or of a version to come. */
export function parseActiveBuild(text: string): ActiveBuild | undefined {
  const json = jsonOf(text);
  if (typeof json !== "object" || json === null) return undefined;
  const fields = json as Readonly<Record<string, unknown>>;
  const mainPid = whole(fields["mainPid"]);
  if (mainPid === undefined || mainPid <= 1) return undefined;
  const derivation = fields["derivation"];
  const { cgroup } = fields;
  return {
    mainPid,
    derivation: typeof derivation === "string" && derivation !== "" ? basename(derivation) : undefined,
    nixPid: whole(fields["nixPid"]),
    clientUid: whole(fields["clientUid"]),
    cgroup: typeof cgroup === "string" && cgroup.startsWith("/") ? cgroup : undefined,
    startSeconds: whole(fields["startTime"]),
  };
}

function whole(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.trunc(value) : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
