/** All that was found in a project as one: names that differ, and nothing run twice. Pure. @module */
import { startOrder } from "../../supervisor/mod.ts";
import type { Found, FoundProcess, ProcessKeys } from "./found.ts";
import { shellLine } from "./shell.ts";

/** What is going to be written. */
export interface Plan {
  readonly files: readonly string[];
  readonly processes: readonly FoundProcess[];
  /** What concerns no single process. */
  readonly notes: readonly string[];
}

/** A process, and where it comes from. */
interface Placed {
  readonly found: Found;
  readonly process: FoundProcess;
}

/**
 * Joins what the files of a project say. Of processes of the same name the first keeps it, the others have the kind of
 * their file behind theirs.
 */
export function merge(all: readonly Found[]): Plan {
  const notes = all.flatMap(({ file, notes }) => notes.map((each) => `${file}: ${each}`));
  const found = all.flatMap((found) => found.processes.map((process): Placed => ({ found, process })));
  const needed = found.filter((each) => {
    const other = found.find(({ found, process }) =>
      found !== each.found && each.process.sameAs?.some((line) => runs(process.keys, line)) === true
    );
    if (other === undefined) return true;
    const { found: { file }, process: { name } } = other;
    notes.push(`${each.found.file}: "${each.process.name}" is left out: "${name}" of ${file} runs it`);
    return false;
  });
  const native = nativeCounterparts(needed);
  const names = namesOf(needed);
  const processes = needed.map((each) => {
    const { found, process } = each;
    const placed = { ...process, name: names.get(process)! };
    const inOwn = (name: string): string | undefined => {
      const other = needed.find((at) => at.found === found && at.process.name === name)?.process;
      return other && names.get(native.get(other) ?? other);
    };
    const own = native.get(process);
    if (own !== undefined) return asContainer(placed, names.get(own)!, inOwn);
    const container = [...native].find(([, other]) => other === process)?.[0];
    if (container === undefined) return withDependencies(placed, process.keys.depends_on, inOwn);
    const source = needed.find((at) => at.process === container)!.found;
    const others = source.processes.filter((each) => each.prepares !== true);
    return asNative(placed, container, (name) => {
      const other = others.find((each) => each.name === name);
      return other && names.get(native.get(other) ?? other);
    });
  });
  return {
    files: all.map(({ file }) => file),
    processes,
    notes: [...notes, ...unmet(processes), ...circle(processes)],
  };
}

/** Whether a process runs a command line, perhaps with more before and behind it. */
function runs({ command = [] }: ProcessKeys, line: string): boolean {
  const text = command.length === 3 && command[1] === "-c" ? command[2]! : shellLine(command);
  return ` ${text.replaceAll(/\s+/g, " ").trim()} `.includes(` ${line} `);
}

/** Containers of the project's own code, with the process that runs the same code without one. */
function nativeCounterparts(all: readonly Placed[]): Map<FoundProcess, FoundProcess> {
  const pairs = all.flatMap(({ process: container }): [FoundProcess, FoundProcess][] => {
    if (container.builds === undefined || container.keys.autostart === false) return [];
    const natives = all.filter(({ process }) =>
      process.code === container.builds && process.keys.autostart !== false
    );
    // Of several programs in the folder nobody knows which the container has.
    return natives.length === 1 ? [[container, natives[0]!.process]] : [];
  });
  const once = (native: FoundProcess) => pairs.filter(([, each]) => each === native).length === 1;
  return new Map(pairs.filter(([, native]) => once(native)));
}

function namesOf(all: readonly Placed[]): Map<FoundProcess, string> {
  const names = new Map<FoundProcess, string>();
  const taken = new Set<string>();
  for (const { found, process } of all) {
    const name = processName(process.name);
    const candidates = [name, processName(`${name}-${found.kind}`)];
    let free = candidates.find((each) => !taken.has(each));
    for (let n = 2; free === undefined; n++) {
      const next = processName(`${name}-${n}`);
      if (!taken.has(next)) free = next;
    }
    taken.add(free);
    names.set(process, free);
  }
  return names;
}

const NAME_CHARS = 64;

/** A name as `.mcp-run` allows it; the end of a long one is kept, as it tells it from others. */
export function processName(name: string): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_.@-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").replace(/-+$/, "");
  return clean === ""
    ? "process"
    : clean.length <= NAME_CHARS
    ? clean
    : clean.slice(-NAME_CHARS).replace(/^[^A-Za-z0-9]+/, "");
}

function withDependencies(
  process: FoundProcess,
  dependencies: ProcessKeys["depends_on"],
  rename: (name: string) => string | undefined,
): FoundProcess {
  const renamed = Object.entries(dependencies ?? {}).flatMap(([name, each]) => {
    const other = rename(name);
    return other === undefined ? [] : [[other, each] as const];
  });
  if (renamed.length === 0) return process;
  return { ...process, keys: { ...process.keys, depends_on: Object.fromEntries(renamed) } };
}

function asContainer(
  process: FoundProcess,
  native: string,
  rename: (name: string) => string | undefined,
): FoundProcess {
  return {
    ...withDependencies(process, process.keys.depends_on, rename),
    about:
      `${process.about} "${native}" runs the same code outside of a container; this one is started when you ask for it.`,
    keys: {
      ...withDependencies(process, process.keys.depends_on, rename).keys,
      autostart: false,
    },
  };
}

function asNative(
  process: FoundProcess,
  container: FoundProcess,
  rename: (name: string) => string | undefined,
): FoundProcess {
  const inherited = withDependencies(process, container.keys.depends_on, rename);
  return {
    ...inherited,
    notes: [
      ...process.notes,
      `it stands in for service "${container.name}" of the compose file and has its dependencies, not its environment: ` +
      "outside of containers other services are on 127.0.0.1",
    ],
  };
}

/** Processes that would wait for one that is not started by itself. */
function unmet(processes: readonly FoundProcess[]): string[] {
  const off = new Set(processes.filter(({ keys }) => keys.autostart === false).map(({ name }) => name));
  return processes.filter(({ name }) => !off.has(name)).flatMap(({ name, keys }) =>
    Object.keys(keys.depends_on ?? {}).filter((each) => off.has(each)).map((each) =>
      `"${name}" waits until "${each}" is started, which does not start by itself`
    )
  );
}

/** Processes that would all wait for each other. */
function circle(processes: readonly FoundProcess[]): string[] {
  try {
    startOrder(processes.map(({ name, keys }) => ({ name, dependsOn: Object.keys(keys.depends_on ?? {}) })));
    return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [`bpm will not start them. ${error.message}`];
  }
}
