/** Cargo.toml: the binaries of a package, or of the packages of a workspace. Pure. @module */
import { parse } from "@std/toml";
import {
  folderOf,
  type Found,
  type FoundProcess,
  joinPath,
  matchFolders,
  type ProjectFolder,
} from "./found.ts";
import { isTable } from "./keys.ts";

interface Bin {
  readonly name: string;
  readonly requiredFeatures: readonly string[];
}

interface Crate {
  readonly name: string;
  readonly folder: string;
  readonly defaultRun: string | undefined;
  readonly bins: readonly Bin[];
}

/** Processes of a crate or workspace. @throws {SyntaxError} When a Cargo.toml is no TOML. */
export function readCargoToml(folder: ProjectFolder, file: string): Found {
  const base = folderOf(file);
  const root = readToml(folder, file);
  const workspace = isTable(root.workspace) ? root.workspace : undefined;
  const own = crateOf(folder, root, base);
  const members = workspace === undefined
    ? []
    : memberFolders(folder, { base, root, workspace }).flatMap((each) => {
      return crateOf(folder, readToml(folder, joinPath(each, "Cargo.toml")), each) ?? [];
    });
  const crates = [...(own === undefined ? [] : [own]), ...members].filter(({ bins }) => bins.length > 0);
  const listed = textsOf(workspace?.["default-members"]).flatMap((each) => {
    return matchFolders(folder, joinPath(base, each));
  });
  // As cargo itself: without a list the root's own package, without one all of them.
  const byDefault = (crate: Crate) =>
    listed.length > 0 ? listed.includes(crate.folder) : own === undefined || crate === own;
  const processes = crates.flatMap((crate) =>
    processesOf(crate, { base, workspace: workspace !== undefined, starts: byDefault(crate) })
  );
  const notes = processes.length > 0 ? [] : ["no package of it has a binary"];
  return { file, kind: "cargo", processes, notes };
}

function readToml(folder: ProjectFolder, path: string): Record<string, unknown> {
  try {
    return parse(folder.read(path) ?? "");
  } catch (cause) {
    const what = cause instanceof Error ? cause.message.split("\n")[0] : cause;
    throw new SyntaxError(`Cannot read ${path}: ${what}`, { cause });
  }
}

interface Workspace {
  readonly base: string;
  /** The root's Cargo.toml. */
  readonly root: Record<string, unknown>;
  readonly workspace: Record<string, unknown>;
}

/** Those that the workspace names, and what lies in its folder and one of them depends on by path. */
function memberFolders(folder: ProjectFolder, { base, root, workspace }: Workspace): string[] {
  const without = textsOf(workspace.exclude).map((each) => joinPath(base, each));
  const isMember = (each: string) =>
    each !== base && !without.some((other) => each === other || each.startsWith(`${other}/`)) &&
    folder.read(joinPath(each, "Cargo.toml")) !== undefined;
  const shared = isTable(workspace.dependencies) ? workspace.dependencies : {};
  const near = (toml: Record<string, unknown>, from: string) =>
    dependencyFolders(toml, { from, base, shared }).filter((each) =>
      base === "." ? !/^(?:\.\.|\/)/.test(each) : each.startsWith(`${base}/`)
    );
  const found = new Set<string>();
  const left = [
    ...textsOf(workspace.members).flatMap((each) => matchFolders(folder, joinPath(base, each))),
    ...near(root, base),
  ];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (found.has(next) || !isMember(next)) continue;
    found.add(next);
    left.push(...near(readToml(folder, joinPath(next, "Cargo.toml")), next));
  }
  return [...found].sort();
}

const DEPENDENCIES = ["dependencies", "dev-dependencies", "build-dependencies"];

interface Paths {
  readonly from: string;
  readonly base: string;
  /** Dependencies of the workspace, which members take over by name. */
  readonly shared: Record<string, unknown>;
}

function dependencyFolders(toml: Record<string, unknown>, { from, base, shared }: Paths): string[] {
  const targets = isTable(toml.target) ? Object.values(toml.target).filter(isTable) : [];
  const lists = [toml, ...targets].flatMap((each) => DEPENDENCIES.map((name) => each[name])).filter(isTable);
  return lists.flatMap((list) => Object.entries(list)).flatMap(([name, value]) => {
    if (!isTable(value)) return [];
    const inherited = value.workspace === true ? shared[name] : undefined;
    if (isTable(inherited) && typeof inherited.path === "string") return [joinPath(base, inherited.path)];
    return typeof value.path === "string" ? [joinPath(from, value.path)] : [];
  });
}

function crateOf(folder: ProjectFolder, toml: Record<string, unknown>, where: string): Crate | undefined {
  const owner = toml.package;
  if (!isTable(owner) || typeof owner.name !== "string") return undefined;
  const { name } = owner;
  const defaultRun = owner["default-run"];
  return {
    name,
    folder: where,
    defaultRun: typeof defaultRun === "string" ? defaultRun : undefined,
    bins: binsOf(folder, { toml, name, where, automatic: findsBins(owner, toml) }),
  };
}

/** In the first edition naming one binary ends the search for others. */
function findsBins(owner: Record<string, unknown>, toml: Record<string, unknown>): boolean {
  if (typeof owner.autobins === "boolean") return owner.autobins;
  return (owner.edition ?? "2015") !== "2015" || !Array.isArray(toml.bin) || toml.bin.length === 0;
}

interface Sources {
  readonly toml: Record<string, unknown>;
  readonly name: string;
  readonly where: string;
  readonly automatic: boolean;
}

/** Those that the file names, and those that cargo finds by where they stand. */
function binsOf(folder: ProjectFolder, { toml, name, where, automatic }: Sources): Bin[] {
  const named = (Array.isArray(toml.bin) ? toml.bin : []).filter(isTable).map((each) => ({
    name: typeof each.name === "string" ? each.name : name,
    requiredFeatures: textsOf(each["required-features"]),
    path: typeof each.path === "string" ? joinPath(".", each.path) : undefined,
  }));
  if (!automatic) return named;
  const found: { readonly name: string; readonly path: string }[] = [];
  if (folder.read(joinPath(where, "src/main.rs")) !== undefined) found.push({ name, path: "src/main.rs" });
  for (const entry of folder.list(joinPath(where, "src/bin"))) {
    const path = entry.endsWith("/") ? `src/bin/${entry}main.rs` : `src/bin/${entry}`;
    if (!path.endsWith(".rs") || folder.read(joinPath(where, path)) === undefined) continue;
    found.push({ name: entry.replace(/\/$|\.rs$/, ""), path });
  }
  const others = found.filter(({ name, path }) =>
    !named.some((each) => each.name === name || each.path === path)
  );
  return [...named, ...others.map(({ name }) => ({ name, requiredFeatures: [] }))];
}

interface Place {
  readonly base: string;
  readonly workspace: boolean;
  readonly starts: boolean;
}

function processesOf(crate: Crate, { base, workspace, starts }: Place): FoundProcess[] {
  const { name: owner, bins, defaultRun, folder } = crate;
  return bins.map(({ name, requiredFeatures }) => {
    const isMain = defaultRun === undefined || name === defaultRun;
    const starting = starts && isMain && requiredFeatures.length === 0;
    const what = bins.length > 1 ? `Binary "${name}" of package "${owner}"` : `Package "${owner}"`;
    const why = starting
      ? ""
      : !isMain
      ? `, which runs "${defaultRun}" by default: this one is started when you ask for it`
      : `, started when you ask for it`;
    const file = joinPath(folder, "Cargo.toml");
    return {
      name: bins.length > 1 ? name : owner,
      about: `${what} (${file})${why}.`,
      keys: {
        type: "rust",
        ...(base === "." ? {} : { cwd: base }),
        ...(workspace ? { package: owner } : {}),
        ...(bins.length > 1 || name !== owner ? { bin: name } : {}),
        ...(starting ? {} : { autostart: false }),
      },
      notes: requiredFeatures.length === 0 ? [] : [
        `required-features = ${JSON.stringify(requiredFeatures)}: rust has no key for features; ` +
        `turn it into a command with build = ["cargo", "build", "--features", "${
          requiredFeatures.join(",")
        }"]`,
      ],
      sameAs: [
        `cargo run --bin ${name}`,
        `cargo run -p ${owner}`,
        ...(bins.length === 1 ? ["cargo run"] : []),
      ],
      ...(starting ? { code: folder } : {}),
    };
  });
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
