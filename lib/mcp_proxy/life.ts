/**
 * The life of the servers behind one proxy: which one serves, which one comes up, what is built. One table of state by
 * event. Pure.
 * @module
 */

/** What is true now. A server is known by its generation. */
export type Life =
  | { readonly kind: "idle" }
  /** Nothing runs; a timer does. */
  | { readonly kind: "pausing"; readonly failures: number }
  | { readonly kind: "building"; readonly serving: number | undefined; readonly failures: number }
  | {
    readonly kind: "coming";
    readonly next: number;
    readonly serving: number | undefined;
    readonly failures: number;
  }
  | { readonly kind: "serving"; readonly serving: number; readonly failures: number }
  /** The one that serves has to end before the next can come up: both want the same address. */
  | { readonly kind: "clearing"; readonly serving: number }
  | { readonly kind: "stopped" };

/** What happened. */
export type LifeEvent =
  | { readonly kind: "began" | "built" | "notBuilt" | "timerFired" | "stopped" }
  /** Its files are others, or somebody wants it started anew. */
  | { readonly kind: "changed" }
  | { readonly kind: "ready" | "ended" | "settled"; readonly generation: number };

/** What is to be done. */
export type LifeEffect =
  | { readonly kind: "build" | "stopBuilding" | "pause" }
  | { readonly kind: "spawn"; readonly generation: number }
  /** Give it what comes. */
  | { readonly kind: "serve"; readonly generation: number }
  /** Let it finish what it has, then end it. */
  | { readonly kind: "retire"; readonly generation: number }
  | { readonly kind: "end"; readonly generation: number };

/** How servers come up. */
export interface LifeRules {
  /** Whether there is something to build before each start. */
  readonly builds: boolean;
  /** Whether the next one can be up before the one that serves has ended. */
  readonly overlaps: boolean;
  /** A generation that is not used yet. */
  readonly nextGeneration: number;
}

export type LifeStep = readonly [Life, readonly LifeEffect[]];

/** Returns the next state and what to do; `undefined` when `on` has no meaning in `life`. */
export function step(life: Life, on: LifeEvent, rules: LifeRules): LifeStep | undefined {
  if (on.kind === "stopped") return life.kind === "stopped" ? undefined : [{ kind: "stopped" }, endAll(life)];
  switch (life.kind) {
    case "idle":
      return on.kind === "began" ? makeNext(undefined, 0, rules) : undefined;
    case "pausing":
      // Whoever has changed something has perhaps repaired it.
      if (on.kind === "changed") return makeNext(undefined, 0, rules);
      return on.kind === "timerFired" ? makeNext(undefined, life.failures, rules) : undefined;
    case "building":
      return building(life, on, rules);
    case "coming":
      return coming(life, on, rules);
    case "serving":
      if (on.kind === "changed") return makeNext(life.serving, life.failures, rules);
      if (!("generation" in on) || on.generation !== life.serving) return undefined;
      if (on.kind === "settled") return [{ ...life, failures: 0 }, []];
      return on.kind === "ended" ? pause(life.failures + 1) : undefined;
    case "clearing":
      if (on.kind === "changed" && rules.builds) return makeNext(life.serving, 0, rules);
      return on.kind === "ended" && on.generation === life.serving ? spawn(undefined, 0, rules) : undefined;
    case "stopped":
      return undefined;
    default:
      return life satisfies never;
  }
}

function building(
  life: Extract<Life, { kind: "building" }>,
  on: LifeEvent,
  rules: LifeRules,
): LifeStep | undefined {
  const { serving, failures } = life;
  switch (on.kind) {
    case "changed":
      return [life, [{ kind: "stopBuilding" }, { kind: "build" }]];
    case "built":
      if (serving === undefined || rules.overlaps) return spawn(serving, failures, rules);
      return [{ kind: "clearing", serving }, [{ kind: "retire", generation: serving }]];
    case "notBuilt":
      return serving === undefined ? pause(failures + 1) : [{ kind: "serving", serving, failures: 0 }, []];
    case "ended":
      return on.generation === serving
        ? [{ ...life, serving: undefined, failures: failures + 1 }, []]
        : undefined;
    default:
      return undefined;
  }
}

function coming(
  life: Extract<Life, { kind: "coming" }>,
  on: LifeEvent,
  rules: LifeRules,
): LifeStep | undefined {
  const { next, serving, failures } = life;
  if (on.kind === "changed") {
    const [state, effects] = makeNext(serving, 0, rules);
    return [state, [{ kind: "end", generation: next }, ...effects]];
  }
  if (!("generation" in on)) return undefined;
  if (on.kind === "ready" && on.generation === next) {
    const retire: LifeEffect[] = serving === undefined ? [] : [{ kind: "retire", generation: serving }];
    return [{ kind: "serving", serving: next, failures }, [{ kind: "serve", generation: next }, ...retire]];
  }
  if (on.kind !== "ended") return undefined;
  if (on.generation === serving) return [{ ...life, serving: undefined }, []];
  if (on.generation !== next) return undefined;
  // The one that serves goes on.
  return serving === undefined ? pause(failures + 1) : [{ kind: "serving", serving, failures: 0 }, []];
}

function makeNext(serving: number | undefined, failures: number, rules: LifeRules): LifeStep {
  if (rules.builds) return [{ kind: "building", serving, failures }, [{ kind: "build" }]];
  if (serving === undefined || rules.overlaps) return spawn(serving, failures, rules);
  return [{ kind: "clearing", serving }, [{ kind: "retire", generation: serving }]];
}

function spawn(serving: number | undefined, failures: number, { nextGeneration }: LifeRules): LifeStep {
  return [
    { kind: "coming", next: nextGeneration, serving, failures },
    [{ kind: "spawn", generation: nextGeneration }],
  ];
}

function pause(failures: number): LifeStep {
  return [{ kind: "pausing", failures }, [{ kind: "pause" }]];
}

function endAll(life: Life): LifeEffect[] {
  const running = [
    "serving" in life ? life.serving : undefined,
    life.kind === "coming" ? life.next : undefined,
  ].filter((each) => each !== undefined);
  const ends = running.map((generation) => ({ kind: "end", generation } as const));
  return life.kind === "building" ? [{ kind: "stopBuilding" }, ...ends] : ends;
}
