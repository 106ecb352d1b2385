/** What is known of the services of a project, from whichever server. Pure. @module */
import { textWidth } from "../tui/mod.ts";

/** One service as it is shown. */
export interface ServiceInfo {
  readonly name: string;
  /** The server's own word: `running`, `idle`, `crashed`, … */
  readonly state: string;
  readonly pid?: number;
  readonly uptimeMs?: number;
  /** Until its next start, after a crash or by its schedule. */
  readonly startsInMs?: number;
  /** Ends in a row that nobody asked for. */
  readonly crashes: number;
  readonly restarts?: number;
  /** How it ended last: a code, a signal's name, or `unknown`. */
  readonly exit?: string;
  readonly ready?: boolean;
  readonly url?: string;
  /** How its restarts lose no request: the way, and why that one. */
  readonly swap?: { readonly way: string; readonly reason: string };
  /** CPUs in use: 1 is one CPU. */
  readonly cpuRatio?: number;
  readonly memoryBytes?: number;
  /** Log instances that are kept, of runs and of builds. */
  readonly instances?: number;
  readonly builds?: number;
  /** Whether its standard input is a terminal. */
  readonly tty?: boolean;
  readonly dependsOn: readonly string[];
  /** What each of these has to be, where the server tells. */
  readonly conditions?: ReadonlyMap<string, string>;
  /** What happened, newest first. */
  readonly events: readonly string[];
}

/** All of a project at one time. */
export interface Overview {
  /** `Dev` or `Release`. */
  readonly mode?: string;
  /** What the server says of the mode, in its words. */
  readonly modeNote?: string;
  /** Who counted what services use, in the server's word: `agent` or `proc`. */
  readonly usageSource?: string;
  readonly services: readonly ServiceInfo[];
}

/** What is told of all services of an overview at once. */
export interface Summary {
  readonly counts: ReadonlyMap<Tone, number>;
  /** Names of those in trouble, with their states. */
  readonly bad: ReadonlyMap<string, string>;
  /** Columns of the longest name. */
  readonly longest: number;
  readonly hasCpu: boolean;
  readonly hasMemory: boolean;
  readonly hasEnds: boolean;
}

const summaries = new WeakMap<Overview, Summary>();

/** The summary of an overview, made once for each: a list of thousands is not walked at every frame. */
export function summaryOf(overview: Overview): Summary {
  const known = summaries.get(overview);
  if (known !== undefined) return known;
  const counts = new Map<Tone, number>();
  const bad = new Map<string, string>();
  let [longest, hasCpu, hasMemory, hasEnds] = [0, false, false, false];
  for (const each of overview.services) {
    const tone = toneOf(each);
    counts.set(tone, (counts.get(tone) ?? 0) + 1);
    if (tone === "bad") bad.set(each.name, each.state);
    longest = Math.max(longest, textWidth(each.name));
    hasCpu ||= each.cpuRatio !== undefined;
    hasMemory ||= each.memoryBytes !== undefined;
    hasEnds ||= endsOf(each) > 0;
  }
  const summary = { counts, bad, longest, hasCpu, hasMemory, hasEnds };
  summaries.set(overview, summary);
  return summary;
}

/** How often a service ended by itself, as far as its server counts. */
export function endsOf({ restarts, crashes }: ServiceInfo): number {
  return restarts ?? crashes;
}

/** How a state is to be taken. */
export type Tone = "good" | "busy" | "idle" | "bad";

const TONES: Readonly<Record<string, Tone>> = {
  running: "good",
  ready: "good",
  healthy: "good",
  starting: "busy",
  building: "busy",
  stopping: "busy",
  restarting: "busy",
  replacing: "busy",
  waiting: "busy",
  backoff: "bad",
  crashed: "bad",
  failed: "bad",
  failing: "bad",
  lost: "bad",
};

/** The tone of a service; a state without one is idle, but for an end that was no good one. */
export function toneOf({ state, ready, exit }: Pick<ServiceInfo, "state" | "ready" | "exit">): Tone {
  const known = TONES[state];
  const tone = known ?? (exit === undefined || exit === "0" ? "idle" : "bad");
  return tone === "good" && ready === false ? "busy" : tone;
}

/** Upstream's icons, and one for what is between. */
export const ICONS: Readonly<Record<Tone, string>> = { good: "▶", busy: "◐", idle: "■", bad: "✗" };

/**
 * Reads a server's structured answer to `list`. Fields of another type than expected are left out; a service without a
 * name is no service. @throws {TypeError} When there is no list of services.
 */
export function readServices(answer: unknown): Overview {
  const services = field(answer, "services");
  if (!Array.isArray(services)) {
    throw new TypeError(`Cannot read list of services: found ${JSON.stringify(answer)?.slice(0, 80)}`);
  }
  const [mode, modeNote] = [text(field(answer, "mode")), text(field(answer, "modeNote"))];
  return {
    services: services.flatMap((each) => readService(each) ?? []),
    ...mode === undefined ? {} : { mode: mode[0]!.toUpperCase() + mode.slice(1) },
    ...modeNote === undefined ? {} : { modeNote },
  };
}

/** What a service uses. */
export type Usage = Pick<ServiceInfo, "cpuRatio" | "memoryBytes">;

/** What all services use, and who has counted it. */
export interface UsageAnswer {
  readonly source?: string;
  readonly byName: ReadonlyMap<string, Usage>;
}

/** Reads a server's structured answer to `usage`: a list of objects with a name and what it uses. */
export function readUsage(answer: unknown): UsageAnswer {
  const source = text(field(answer, "source"));
  const lists = typeof answer === "object" && answer !== null
    ? Object.values(answer).filter(Array.isArray)
    : [];
  const byName = new Map(
    lists.flat().flatMap((each): [string, Usage][] => {
      const name = text(field(each, "name")) ?? text(field(each, "process"));
      const [cpuRatio, memoryBytes] = [field(each, "cpuRatio"), field(each, "memoryBytes")];
      if (name === undefined) return [];
      return [[name, {
        ...typeof cpuRatio === "number" ? { cpuRatio } : {},
        ...typeof memoryBytes === "number" ? { memoryBytes } : {},
      }]];
    }),
  );
  return source === undefined ? { byName } : { source, byName };
}

function readService(value: unknown): ServiceInfo | undefined {
  const name = text(field(value, "name"));
  if (name === undefined) return undefined;
  const numbers = ["pid", "uptimeMs", "startsInMs", "restarts", "cpuRatio", "memoryBytes"] as const;
  const known: Record<string, unknown> = {};
  for (const key of numbers) {
    const found = field(value, key);
    if (typeof found === "number" && Number.isFinite(found)) known[key] = found;
  }
  for (const key of ["instances", "builds"] as const) {
    const count = countOf(field(value, key));
    if (count !== undefined) known[key] = count;
  }
  for (const key of ["ready", "tty"] as const) {
    const found = field(value, key);
    if (typeof found === "boolean") known[key] = found;
  }
  for (const key of ["url", "exit"] as const) {
    const found = text(field(value, key));
    if (found !== undefined) known[key] = found;
  }
  const swap = field(value, "swap");
  const [way, reason] = [text(field(swap, "way")), text(field(swap, "reason"))];
  if (way !== undefined) known.swap = { way, reason: reason ?? "" };
  const crashes = field(value, "crashes") ?? field(value, "failures");
  const conditions = conditionsOf(field(value, "dependsOn"));
  return {
    name,
    state: text(field(value, "state")) ?? "unknown",
    crashes: typeof crashes === "number" ? crashes : 0,
    dependsOn: names(field(value, "dependsOn")),
    ...conditions.size === 0 ? {} : { conditions },
    events: names(field(value, "events")),
    ...known,
  };
}

function countOf(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length;
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}

/** Of objects with a name and a condition. */
function conditionsOf(value: unknown): ReadonlyMap<string, string> {
  if (!Array.isArray(value)) return new Map();
  return new Map(value.flatMap((each): [string, string][] => {
    const [name, condition] = [text(field(each, "name")), text(field(each, "condition"))];
    return name === undefined || condition === undefined ? [] : [[name, condition]];
  }));
}

/** Texts, or the names of objects that have one. */
function names(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each) => text(each) ?? text(field(each, "name")) ?? text(field(each, "text")) ?? []);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
