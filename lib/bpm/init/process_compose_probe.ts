/** Probes of process-compose, which are those of Kubernetes in small. Pure. @module */
import type { ProbeKeys } from "./found.ts";
import type { Keys } from "./keys.ts";
import { commandOf, shellLine } from "./shell.ts";
import { hasVariables } from "./variables.ts";

/** process-compose's own: what is not said there is meant so. */
const PERIOD_S = 10;
const TIMEOUT_S = 1;
const FAILURES = 3;

export interface FoundProbe {
  readonly probe: ProbeKeys;
  /** So long until it is given up. */
  readonly readyWithin: string | undefined;
}

interface ProbeContext {
  readonly shell: readonly string[];
  /** Whether variables are nobody's to replace. */
  readonly raw: boolean;
}

/** The probe of that key, taken; `undefined` when there is none, or none that asks anything. */
export function probeOf(keys: Keys, name: string, { shell, raw }: ProbeContext): FoundProbe | undefined {
  if (!keys.has(name)) return undefined;
  const probe = keys.table(name);
  const delay = probe.number("initial_delay_seconds") ?? 0;
  const period = Math.max(1, probe.number("period_seconds") ?? PERIOD_S);
  const timeout = Math.max(1, probe.number("timeout_seconds") ?? TIMEOUT_S);
  const failures = Math.max(1, probe.number("failure_threshold") ?? FAILURES);
  if ((probe.number("success_threshold") ?? 1) > 1) {
    probe.notes.push(`${name}.success_threshold: the first yes counts`);
  }
  const asks = { every: `${period}s`, within: `${timeout}s`, failures };
  const http = httpOf(probe, raw);
  const exec = execOf(probe, shell);
  probe.untaken();
  const question = http !== undefined ? { http } : exec !== undefined ? { exec } : undefined;
  if (question === undefined) return undefined;
  // There a process is given up after so many noes; here it is asked until a time is over.
  const readyWithin = name === "readiness_probe" ? `${delay + failures * (period + timeout)}s` : undefined;
  return { probe: { ...question, ...asks }, readyWithin };
}

function httpOf(probe: Keys, raw: boolean): string | undefined {
  if (!probe.has("http_get")) return undefined;
  const http = probe.table("http_get");
  const scheme = http.text("scheme") ?? "http";
  const host = http.text("host") ?? "127.0.0.1";
  const port = http.text("port") ?? http.text("num_port");
  const path = http.text("path") ?? "/";
  http.note("headers", "the question has no headers of its own");
  if ((http.number("status_code") ?? 200) !== 200) {
    http.notes.push("http_get.status_code: 200 to 399 are a yes");
  }
  http.untaken();
  const url = `${scheme}://${host}${port === undefined ? "" : `:${port}`}${
    path.startsWith("/") ? path : `/${path}`
  }`;
  if (!raw && hasVariables(url) || URL.canParse(url)) return url;
  http.notes.push(`http_get: ${url} is no URL, and is left out`);
  return undefined;
}

function execOf(probe: Keys, shell: readonly string[]): string[] | undefined {
  if (!probe.has("exec")) return undefined;
  const exec = probe.table("exec");
  const command = exec.text("command");
  const folder = exec.text("working_dir");
  exec.untaken();
  if (command === undefined) return undefined;
  return folder === undefined
    ? commandOf(command, shell)
    : [...shell, `cd ${shellLine([folder])} && ${command.trim()}`];
}
