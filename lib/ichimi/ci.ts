/** Runs of GitHub Actions, through the program `gh` where there is one. @module */
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
/** Of a log; what comes before its end is left out. */
const OUTPUT_CHARS = 100_000;
const LIMIT_MS = 120_000;

/** @throws {HostError} When gh is not there, or refuses. */
export async function ciRuns(place: CiPlace, limit: number, signal: AbortSignal): Promise<CiRun[]> {
  const found = readJson(await gh(place, ["run", "list", "--limit", `${limit}`, "--json", FIELDS], signal));
  return Array.isArray(found) ? found.map(runOf) : [];
}

/** One run as it is now. @throws {HostError} */
export async function ciRun(place: CiPlace, id: number, signal: AbortSignal): Promise<CiRun> {
  return runOf(readJson(await gh(place, ["run", "view", `${id}`, "--json", FIELDS], signal)));
}

/** What gh tells of a run. @throws {HostError} */
export function ciDetails(place: CiPlace, id: number, signal: AbortSignal): Promise<string> {
  return gh(place, ["run", "view", `${id}`], signal);
}

/** The end of the logs of what has failed. @throws {HostError} */
export async function ciFailedLogs(place: CiPlace, id: number, signal: AbortSignal): Promise<string> {
  try {
    return await gh(place, ["run", "view", `${id}`, "--log-failed"], signal);
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

async function gh(
  { folder, env, repo }: CiPlace,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const all = [...args, ...repo === undefined ? [] : ["--repo", repo]];
  const ended = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("gh", {
      args: all,
      ...folder === undefined ? {} : { cwd: folder },
      // It asks nobody, and pages and colours nothing.
      env: { ...env, GH_PROMPT_DISABLED: "1", NO_COLOR: "1", GH_PAGER: "cat" },
      stdin: "null",
      signal: ended,
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new HostError("Failed to execute gh command: it is not installed (https://cli.github.com)", {
      cause: error,
    });
  }
  signal.throwIfAborted();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!output.success) {
    const reason = ended.aborted ? `no answer within ${LIMIT_MS / 1_000} s` : text(output.stderr).trim();
    throw new HostError(`gh command failed: ${reason}`);
  }
  const said = text(output.stdout);
  return said.length <= OUTPUT_CHARS
    ? said
    : `… ${said.length - OUTPUT_CHARS} characters before are left out\n${said.slice(-OUTPUT_CHARS)}`;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HostError(`Failed to parse gh output: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
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
