/** package.json: scripts that go on running, by the package manager that the project uses, also of workspaces. Pure. @module */
import {
  folderOf,
  type Found,
  type FoundProcess,
  joinPath,
  matchFolders,
  type ProjectFolder,
} from "./found.ts";
import { isTable } from "./keys.ts";

/** Scripts that run until they are stopped; the first that is there is what the package is run by. */
const SCRIPTS = ["dev", "develop", "start:dev", "serve", "start", "watch", "preview", "storybook", "worker"];
const FAMILIES = /^(?:dev|start|serve|watch|worker):/;
/** What runs for a moment only although its name does not say so. */
const ONCE = /:(?:build|test|once|prod)$/;

/** In this order: a project that moved to another has often kept the npm one. */
const LOCK_FILES: readonly (readonly [file: string, manager: string])[] = [
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];
const MANAGERS = ["npm", "pnpm", "yarn", "bun"];

interface Package {
  readonly name: string;
  /** `.` for the folder of the file that was asked for. */
  readonly folder: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Processes of a package and of its workspaces. @throws {SyntaxError} When a package.json is no JSON. */
export function readPackageJson(folder: ProjectFolder, file: string): Found {
  const notes: string[] = [];
  const base = folderOf(file);
  const root = readPackage(folder, file);
  const members = workspaces(folder, root, base).map((each) => readPackage(folder, `${each}/package.json`));
  const manager = managerOf(folder, root, base, notes);
  const own = processesOf(root, manager, file);
  // What the root runs usually runs the members.
  const rootRuns = own.some(({ keys }) => keys.autostart !== false);
  const others = members.flatMap((each) =>
    processesOf(each, manager, `${each.folder}/package.json`).map((process) =>
      rootRuns && process.keys.autostart !== false
        ? {
          ...process,
          about: `${process.about} It is not started by itself, as ${file} has a script of that kind, too.`,
          keys: { ...process.keys, autostart: false },
        }
        : process
    )
  );
  const processes = [...own, ...others];
  if (processes.length === 0 && Object.keys(root.scripts).length > 0) {
    notes.push(`none of the scripts ${Object.keys(root.scripts).join(", ")} is known to go on running`);
  }
  return { file, kind: "npm", processes, notes };
}

function readPackage(folder: ProjectFolder, path: string): Package {
  let data: unknown;
  try {
    data = JSON.parse(folder.read(path) ?? "{}");
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  if (!isTable(data)) throw new SyntaxError(`Cannot read ${path}: it is no object`);
  const where = folderOf(path);
  const fallback = where === "." ? folder.name : where.slice(where.lastIndexOf("/") + 1);
  const name = typeof data.name === "string" && data.name !== ""
    ? data.name.replace(/^@[^/]*\//, "")
    : fallback;
  const scripts = isTable(data.scripts)
    ? Object.entries(data.scripts).filter((each): each is [string, string] => typeof each[1] === "string")
    : [];
  return { name, folder: where, scripts: Object.fromEntries(scripts), data };
}

function workspaces(folder: ProjectFolder, root: Package, base: string): string[] {
  const { workspaces } = root.data;
  const listed = isTable(workspaces) ? workspaces.packages : workspaces;
  const patterns = Array.isArray(listed) ? listed.filter((each) => typeof each === "string") : [];
  const all = patterns.length > 0
    ? patterns
    : pnpmPatterns(folder.read(joinPath(base, "pnpm-workspace.yaml")));
  const without = new Set(
    all.filter((each) => each.startsWith("!")).flatMap((each) =>
      matchFolders(folder, joinPath(base, each.slice(1)))
    ),
  );
  const found = all.filter((each) => !each.startsWith("!")).flatMap((each) =>
    matchFolders(folder, joinPath(base, each))
  );
  return [...new Set(found)].filter((each) =>
    each !== base && !without.has(each) && folder.read(`${each}/package.json`) !== undefined
  ).sort();
}

/** The one list that matters of `pnpm-workspace.yaml`, which is written in one way everywhere. */
function pnpmPatterns(text: string | undefined): string[] {
  const block = /^packages:[ \t]*\n((?:[ \t]*(?:-.*|#.*)?\n?)*)/m.exec(text ?? "")?.[1] ?? "";
  return [...block.matchAll(/^[ \t]*-[ \t]*(?:"([^"]*)"|'([^']*)'|([^#\s]+))/gm)]
    .map(([, double, single, plain]) => (double ?? single ?? plain)!);
}

function managerOf(folder: ProjectFolder, root: Package, base: string, notes: string[]): string {
  const { packageManager } = root.data;
  const named = typeof packageManager === "string" ? /^[a-z]+/.exec(packageManager)?.[0] : undefined;
  if (named !== undefined && MANAGERS.includes(named)) return named;
  const locks = LOCK_FILES.filter(([file]) => folder.read(joinPath(base, file)) !== undefined);
  const [first] = locks;
  const managers = [...new Set(locks.map(([, manager]) => manager))];
  if (managers.length > 1) {
    notes.push(`lock files of ${managers.join(" and ")} are there: scripts are run by ${first![1]}`);
  }
  return first?.[1] ?? "npm";
}

function processesOf(found: Package, manager: string, file: string): FoundProcess[] {
  const known = [
    ...SCRIPTS.filter((each) => Object.hasOwn(found.scripts, each)),
    ...Object.keys(found.scripts).filter((each) =>
      FAMILIES.test(each) && !ONCE.test(each) && !SCRIPTS.includes(each)
    ),
  ];
  return known.map((script, at) => {
    const main = at === 0;
    const port = portOf(found.scripts[script]!);
    return {
      name: main ? found.name : `${found.name}-${script.replaceAll(":", "-")}`,
      about: main
        ? `Script "${script}" of ${file}.`
        : `Script "${script}" of ${file}, started when you ask for it.`,
      keys: {
        type: "npm",
        command: [manager, "run", script],
        ...(found.folder === "." ? {} : { cwd: found.folder }),
        ...(port === undefined ? {} : { url: `http://127.0.0.1:${port}` }),
        ...(main ? {} : { autostart: false }),
      },
      notes: [],
      ...(found.folder === "." ? { sameAs: aliases(script) } : {}),
      ...(main ? { code: found.folder } : {}),
    };
  });
}

/** A port that the script itself says. */
function portOf(script: string): number | undefined {
  const port = /(?:^|\s)(?:--port[= ]|-p |PORT=)(\d{2,5})\b/.exec(script)?.[1];
  return port === undefined ? undefined : Number(port);
}

function aliases(script: string): string[] {
  const short = script === "start" ? ["npm start"] : [];
  return [...MANAGERS.flatMap((each) => [`${each} run ${script}`, `${each} ${script}`]), ...short]
    .filter((each) => each !== `npm ${script}` || script === "start");
}
