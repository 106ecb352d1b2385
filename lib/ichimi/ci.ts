/** Runs of GitHub Actions, through the program `gh` where there is one. @module */
import { existsSync } from "node:fs";
import { HostError } from "../services/mod.ts";

/** A run, under upstream's names. */
export interface CiRun {
  readonly id: number;
  readonly name: string;
  readonly workflow_name: string;
  readonly branch: string;
  readonly event: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  /** From its beginning to its last change, as `2m 5s`; of one that is over. */
  readonly duration: string | null;
  readonly url: string;
}

/** Where gh is run. */
export interface CiPlace {
  readonly folder: string | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
  /** `owner/name`; the folder's own when left out. */
  readonly repo: string | undefined;
}

const FIELDS =
  "databaseId,name,workflowName,headBranch,event,status,conclusion,createdAt,updatedAt,displayTitle,url";
/** Of a text for people; what comes before its end is left out. */
const TEXT_BYTES = 100_000;
/** Of JSON, which has to be whole. */
const JSON_BYTES = 4 << 20;
const LIMIT_MS = 120_000;

/** @throws {HostError} When gh is not there, or refuses. */
export async function ciRuns(place: CiPlace, limit: number, signal: AbortSignal): Promise<CiRun[]> {
  const found = await ghJson(place, ["run", "list", "--limit", `${limit}`, "--json", FIELDS], signal);
  return Array.isArray(found) ? found.map(runOf) : [];
}

/** One run as it is now. @throws {HostError} */
export async function ciRun(place: CiPlace, id: number, signal: AbortSignal): Promise<CiRun> {
  return runOf(await ghJson(place, ["run", "view", `${id}`, "--json", FIELDS], signal));
}

/** What gh tells of a run. @throws {HostError} */
export function ciDetails(place: CiPlace, id: number, signal: AbortSignal): Promise<string> {
  return ghText(place, ["run", "view", `${id}`], signal);
}

/** The end of the logs of what has failed. @throws {HostError} */
export async function ciFailedLogs(place: CiPlace, id: number, signal: AbortSignal): Promise<string> {
  try {
    return await ghText(place, ["run", "view", `${id}`, "--log-failed"], signal);
  } catch (error) {
    if (error instanceof HostError && error.message.includes("still in progress")) {
      return "CI run is still in progress. Logs will be available when it completes.";
    }
    throw error;
  }
}

/** What has become of runs since they were looked at before. */
export function ciChanges(before: ReadonlyMap<number, CiRun>, now: readonly CiRun[]): string[] {
  return now.flatMap((run) => {
    const last = before.get(run.id);
    if (last === undefined || (last.status === run.status && last.conclusion === run.conclusion)) return [];
    const ending = run.conclusion === null ? "" : ` (${run.conclusion})`;
    return [`CI run ${run.id}, ${run.name}: ${last.status} -> ${run.status}${ending}`];
  });
}

async function ghText(place: CiPlace, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { text, leftOut } = await gh(place, args, TEXT_BYTES, signal);
  return leftOut === 0 ? text : `… ${leftOut} bytes before are left out\n${text}`;
}

async function ghJson(place: CiPlace, args: readonly string[], signal: AbortSignal): Promise<unknown> {
  const { text, leftOut } = await gh(place, args, JSON_BYTES, signal);
  if (leftOut > 0) throw new HostError(`Failed to parse gh output: it has more than ${JSON_BYTES} bytes`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HostError(`Failed to parse gh output: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** Runs gh. @param bytes Kept of the end of what it prints. */
async function gh(
  { folder, env, repo }: CiPlace,
  args: readonly string[],
  bytes: number,
  signal: AbortSignal,
): Promise<Ending> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const child = spawned(folder, () =>
    new Deno.Command("gh", {
      args: [...args, ...repo === undefined ? [] : ["--repo", repo]],
      ...folder === undefined ? {} : { cwd: folder },
      // It asks nobody, and pages and colours nothing.
      env: { ...env, GH_PROMPT_DISABLED: "1", NO_COLOR: "1", GH_PAGER: "cat" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: ended,
    }).spawn());
  const [said, complaint, { success }] = await Promise.all([
    endOf(child.stdout, bytes),
    endOf(child.stderr, TEXT_BYTES),
    child.status,
  ]);
  signal.throwIfAborted();
  if (success) return said;
  const reason = ended.aborted ? `no answer within ${LIMIT_MS / 1_000} s` : complaint.text.trim();
  throw new HostError(`gh command failed: ${reason}`);
}

function spawned(folder: string | undefined, spawn: () => Deno.ChildProcess): Deno.ChildProcess {
  try {
    return spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    // The same error tells of a folder and of a program.
    const reason = folder === undefined || existsSync(folder)
      ? "it is not installed (https://cli.github.com)"
      : `there is no folder ${folder}`;
    throw new HostError(`Failed to execute gh command: ${reason}`, { cause });
  }
}

/** The end of a stream, and how many bytes were before it. */
interface Ending {
  readonly text: string;
  readonly leftOut: number;
}

async function endOf(stream: ReadableStream<Uint8Array>, bytes: number): Promise<Ending> {
  let kept = new Uint8Array();
  let leftOut = 0;
  const cut = () => {
    leftOut += Math.max(0, kept.length - bytes);
    kept = kept.slice(-bytes);
  };
  for await (const chunk of stream) {
    const both = new Uint8Array(kept.length + chunk.length);
    both.set(kept);
    both.set(chunk, kept.length);
    kept = both;
    // Not at each chunk.
    if (kept.length > 2 * bytes) cut();
  }
  cut();
  return { text: new TextDecoder().decode(kept), leftOut };
}

function runOf(found: unknown): CiRun {
  const run = (found ?? {}) as Readonly<Record<string, unknown>>;
  const text = (value: unknown, fallback = "Unknown") => typeof value === "string" ? value : fallback;
  const [created, updated] = [text(run.createdAt, ""), text(run.updatedAt, "")];
  const status = pascal(text(run.status, "queued"));
  const conclusion = text(run.conclusion, "");
  return {
    id: Number(run.databaseId ?? 0),
    name: text(run.displayTitle),
    workflow_name: text(run.workflowName),
    branch: text(run.headBranch),
    event: text(run.event),
    status,
    conclusion: conclusion === "" ? null : pascal(conclusion),
    created_at: created,
    updated_at: updated,
    duration: status === "Completed" ? durationText(Date.parse(updated) - Date.parse(created)) : null,
    url: text(run.url, ""),
  };
}

/** `in_progress` as upstream's enum is written: `InProgress`. */
function pascal(word: string): string {
  return word.split("_").map((part) => part.slice(0, 1).toUpperCase() + part.slice(1)).join("");
}

function durationText(ms: number): string | null {
  if (!Number.isFinite(ms) || ms < 0) return null;
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
}
