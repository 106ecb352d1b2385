/** Runs of GitHub Actions, under upstream's names. @module */
import { sleep } from "../../async/mod.ts";
import { array, defineTool, integer, nullable, object, string, withDefault } from "../../mcp/mod.ts";
import { HostError, orToolError, TASK_AFTER_MS } from "../../services/mod.ts";
import { CI_URI } from "../ci_watch.ts";
import { ciDetails, ciFailedLogs, type CiPlace, ciRun, ciRuns } from "../ci.ts";
import { maybe } from "./schemas.ts";
import { type ToolContext, type ToolMaker } from "./tool.ts";

const LOOKS = { readOnlyHint: true, openWorldHint: true };
const MOST_RUNS = 100;
const MOST_SECONDS = 3_600;
/** How often a run is looked at that somebody waits for. */
const LOOK_MS = 5_000;

const REPO = maybe(string({ description: "owner/name; that of the client's folder by default" }));
const RUN_ID = integer({ description: "Of the run, as list_ci_runs tells it", minimum: 1 });
const RUN = object({
  id: integer(),
  name: string(),
  workflow_name: string(),
  branch: string(),
  event: string(),
  status: string(),
  conclusion: nullable(string()),
  created_at: string(),
  updated_at: string(),
  duration: nullable(string()),
  url: string(),
});

const TEXT = object({ text: string() });

function told(text: string) {
  return { text, structured: { text } };
}

export const listCiRuns: ToolMaker = (context) =>
  defineTool({
    name: "list_ci_runs",
    description: "List recent CI/CD runs from GitHub Actions",
    annotations: LOOKS,
    input: object({ limit: withDefault(integer({ minimum: 1, maximum: MOST_RUNS }), 10), repo: REPO }),
    output: object({ runs: array(RUN), total_count: integer() }),
    run: ({ limit, repo }, { signal }) =>
      orToolError(async () => {
        const runs = await ciRuns(placeOf(context, repo), limit, signal);
        const answer = { runs, total_count: runs.length };
        return { text: JSON.stringify(answer, null, 2), structured: answer };
      }),
  });

export const getCiRunDetails: ToolMaker = (context) =>
  defineTool({
    name: "get_ci_run_details",
    description: "Get detailed information about a specific CI run",
    annotations: LOOKS,
    input: object({ run_id: RUN_ID, repo: REPO }),
    output: TEXT,
    run: ({ run_id: id, repo }, { signal }) =>
      orToolError(async () => told(await ciDetails(placeOf(context, repo), id, signal))),
  });

export const getCiFailedLogs: ToolMaker = (context) =>
  defineTool({
    name: "get_ci_failed_logs",
    description: "Get logs from failed jobs in a CI run",
    annotations: LOOKS,
    input: object({ run_id: RUN_ID, repo: REPO }),
    output: TEXT,
    run: ({ run_id: id, repo }, { signal }) =>
      orToolError(async () => told(await ciFailedLogs(placeOf(context, repo), id, signal))),
  });

export const waitForCiCompletion: ToolMaker = (context) =>
  defineTool({
    name: "wait_for_ci_completion",
    description: "Wait for a CI run to complete and return its final status",
    annotations: LOOKS,
    task: {
      afterMs: TASK_AFTER_MS,
      again: (input, elapsedMs) => {
        const leftSeconds = Math.round(input.timeout_secs - elapsedMs / 1_000);
        return { ...input, timeout_secs: Math.max(1, leftSeconds) };
      },
    },
    input: object({
      run_id: RUN_ID,
      timeout_secs: withDefault(integer({ minimum: 1, maximum: MOST_SECONDS }), 600),
      repo: REPO,
    }),
    output: RUN,
    run: ({ run_id: id, timeout_secs: seconds, repo }, { signal, progress }) =>
      orToolError(async () => {
        const place = placeOf(context, repo);
        const limitMs = performance.now() + seconds * 1_000;
        for (let looks = 0;; looks++) {
          const run = await ciRun(place, id, signal);
          if (run.status === "Completed") return { text: JSON.stringify(run, null, 2), structured: run };
          progress(looks, undefined, `${run.name}: ${run.status}`);
          const leftMs = limitMs - performance.now();
          if (leftMs <= 0) throw new HostError(`Timeout waiting for CI run ${id} to complete`);
          await sleep(Math.min(LOOK_MS, leftMs), { signal });
        }
      }),
  });

export const startCiMonitoring: ToolMaker = (context) =>
  defineTool({
    name: "start_ci_monitoring",
    description:
      `Start monitoring CI runs in the background, as long as a client works in this folder: what changes stands in ` +
      `the resource ${CI_URI}, which can be subscribed to`,
    annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: true },
    input: object({ poll_interval: withDefault(integer({ minimum: 5, maximum: 3_600 }), 30), repo: REPO }),
    output: object({ poll_interval: integer(), resource: string() }),
    run({ poll_interval: seconds, repo }) {
      context.ci.watch(placeOf(context, repo), seconds * 1_000);
      const text = `CI monitoring started with ${seconds}s polling interval`;
      return { text, structured: { poll_interval: seconds, resource: CI_URI } };
    },
  });

function placeOf({ client }: ToolContext, repo: string | null | undefined): CiPlace {
  return { folder: client?.folder, env: client?.env, repo: repo ?? undefined };
}
