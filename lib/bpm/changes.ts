/** What another configuration changes. Pure. @module */
import type { BpmConfig } from "./config.ts";

/** Names of services, and of settings. */
export interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  /** Settings of the manager's own that hold from its next start on. */
  readonly later: readonly string[];
}

/** A service, and all that it was made of. */
export interface Made {
  readonly spec: { readonly name: string };
  readonly source: string;
}

/** Settings that are read once. */
const READ_ONCE = ["mcp_port", "host", "token_file"] as const;

export function settingsLater(before: BpmConfig, now: BpmConfig): string[] {
  return READ_ONCE.filter((key) => before[key] !== now[key]);
}

export function changesOf(before: readonly Made[], now: readonly Made[], later: readonly string[]): Changes {
  const sources = new Map(before.map(({ spec, source }) => [spec.name, source]));
  const names = new Set(now.map(({ spec }) => spec.name));
  const known = now.filter(({ spec }) => sources.has(spec.name));
  const [unchanged, changed] = [true, false].map((isSame) =>
    known.filter(({ spec, source }) => (sources.get(spec.name) === source) === isSame).map(({ spec }) =>
      spec.name
    )
  ) as [string[], string[]];
  return {
    added: [...names].filter((name) => !sources.has(name)),
    removed: [...sources.keys()].filter((name) => !names.has(name)),
    changed,
    unchanged,
    later,
  };
}
