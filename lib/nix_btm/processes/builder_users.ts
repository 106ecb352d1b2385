/** Users that Nix builds as: those of its group, and the range that it gives out by itself. Pure. @module */

/** Where Nix takes its users from. */
export interface UserRules {
  /** Names of users or groups that are Nix' own; macOS has an underscore before them. */
  readonly pattern: RegExp;
  /** `start-id` and `id-count` of nix.conf. */
  readonly autoStart: number;
  readonly autoCount: number;
}

/** As Nix has them where nothing else is configured (Nix 2.36, `auto-allocate-uids`). */
export const USER_RULES: UserRules = {
  pattern: /^_?nixbld\d*$/,
  autoStart: 872_415_232,
  autoCount: 8_388_608,
};

/** Ids that one build gets of the range, at most (Nix 2.12 to 2.36). */
const IDS_PER_BUILD = 65_536;

/** The users of a machine, by id. */
export interface Users {
  readonly names: ReadonlyMap<number, string>;
  /** Those that Nix builds as. */
  readonly builders: ReadonlySet<number>;
}

/** Reads passwd(5) and group(5): members of Nix' group, and whoever is named as they are. Root never is one. */
export function builderUsers(passwd: string, group: string, { pattern }: UserRules): Users {
  const groups = new Set<number>();
  const members = new Set<string>();
  for (const [name = "", , gid, list = ""] of lines(group)) {
    if (!pattern.test(name)) continue;
    groups.add(Number(gid));
    for (const member of list.split(",")) members.add(member);
  }
  const names = new Map<number, string>();
  const builders = new Set<number>();
  for (const [name = "", , id, gid] of lines(passwd)) {
    const uid = Number(id);
    if (id === undefined || !Number.isInteger(uid)) continue;
    if (!names.has(uid)) names.set(uid, name);
    if (uid !== 0 && (pattern.test(name) || members.has(name) || groups.has(Number(gid)))) builders.add(uid);
  }
  return { names, builders };
}

/** First id of the part of Nix' range that a user belongs to, which one build has; undefined outside of it. */
export function autoUser(uid: number, { autoStart, autoCount }: UserRules): number | undefined {
  if (uid < autoStart || uid >= autoStart + autoCount) return undefined;
  return uid - (uid - autoStart) % IDS_PER_BUILD;
}

function lines(text: string): string[][] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) =>
    line.split(":")
  );
}
