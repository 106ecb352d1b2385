/** What a manager before this one left of a service, and what is to become of it. @module */
import {
  type Ledger,
  LEDGER_FORMAT,
  lives,
  type Place,
  settlePlace,
  type Wanted,
  wasEnded,
} from "./ledger.ts";

/** What of a service was found: an instance that is followed on, or what was wanted of one that is not there. */
export type Resumed = "adopted" | "wanted" | "unwanted" | "new";

/** What was found in a service's folder. */
export interface Left {
  /** Instances that nobody wants any more. */
  readonly unwanted: readonly Place[];
  /** What is wrong with the files, and what is made of that. */
  readonly damage: string | undefined;
  readonly found:
    /** The instance was ready, where `wasReady` says so, after so many failures. */
    | {
      readonly kind: "adopted";
      readonly place: Place;
      readonly wasReady: boolean;
      readonly failures: number;
    }
    | { readonly kind: Exclude<Resumed, "adopted"> };
}

/** Looks what is there; a keeper that has not come yet is kept from coming. */
export function leftByPredecessor(ledger: Ledger): Left {
  const builds = ledger.places("build");
  const runs = ledger.places("run");
  const newest = runs.findLast((place) => settlePlace(place).kind !== "void");
  const { wanted, damage } = wantedOf(ledger, newest);
  if (newest !== undefined && wanted?.up === true && !wasEnded(newest)) {
    const unwanted = [...builds, ...runs.filter((place) => place !== newest)];
    const wasReady = wanted.ready === newest.number;
    return {
      unwanted,
      damage,
      found: { kind: "adopted", place: newest, wasReady, failures: wanted.failures },
    };
  }
  const kind = wanted === undefined ? "new" : wanted.up ? "wanted" : "unwanted";
  return { unwanted: [...builds, ...runs], damage, found: { kind } };
}

/** Where the file that says it is damaged, what runs was wanted. */
function wantedOf(
  ledger: Ledger,
  newest: Place | undefined,
): { readonly wanted: Wanted | undefined; readonly damage: string | undefined } {
  const damage = ledger.damage();
  if (damage === undefined) return { wanted: ledger.wanted(), damage };
  return newest !== undefined && lives(settlePlace(newest))
    ? { wanted: { format: LEDGER_FORMAT, up: true, failures: 0 }, damage: `${damage}; what runs goes on` }
    : { wanted: undefined, damage: `${damage}; it is as if it were new` };
}
