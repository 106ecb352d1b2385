/**
 * Incremental steps: one runs when its inputs, its recipe or its outputs changed since it last succeeded.
 * The stamp holds size and modification time of each input, so an unchanged tree costs only `stat` calls.
 * @module
 */
import { BUILD, ROOT } from "./paths.ts";

/** One thing that set-up makes. */
export interface Step {
  /** Unique; also the name of the stamp file. */
  readonly name: string;
  /** Files, relative to the checkout; a folder stands for all files below it. */
  readonly inputs: readonly string[];
  /** Absolute paths of files that must exist afterwards. */
  readonly outputs: readonly string[];
  /** Text that decides the result beside the inputs: flags, versions. */
  readonly recipe: string;
  run(): Promise<void>;
}

/** Runs the steps that are out of date, in order; returns the names of those that ran. */
export async function runSteps(steps: readonly Step[], say: (line: string) => void): Promise<string[]> {
  const ran: string[] = [];
  for (const step of steps) {
    const stampPath = `${BUILD}stamps/${step.name.replaceAll("/", "-")}`;
    const stamp = fingerprint(step);
    if (readText(stampPath) === stamp && step.outputs.every(exists)) continue;
    say(`building ${step.name}`);
    for (const output of step.outputs) Deno.mkdirSync(dirname(output), { recursive: true });
    await step.run();
    const missing = step.outputs.find((output) => !exists(output));
    if (missing !== undefined) {
      throw new Error(`Cannot finish step "${step.name}": it did not make ${missing}`);
    }
    Deno.mkdirSync(`${BUILD}stamps`, { recursive: true });
    Deno.writeTextFileSync(stampPath, stamp);
    ran.push(step.name);
  }
  return ran;
}

/** Runs a program of the tool chain; its output is shown only when it fails. @throws {Error} On failure. */
export async function exec(
  program: string,
  args: readonly string[],
  options?: Deno.CommandOptions,
): Promise<string> {
  const child = new Deno.Command(program, { args: [...args], stdin: "null", ...options });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  if (code !== 0) {
    throw new Error(
      `Cannot run ${program} ${args.join(" ")}: exit ${code}\n${text.decode(stdout)}${text.decode(stderr)}`
        .trimEnd(),
    );
  }
  return text.decode(stdout);
}

/** Files below `folder` (relative to the checkout) that match, relative to the checkout, sorted. */
export function filesBelow(folder: string, match: RegExp): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(ROOT + folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...filesBelow(path, match));
    else if (match.test(entry.name)) found.push(path);
  }
  return found.sort();
}

/** The folder part of a path. */
export function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Whether something stands at `path`. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function fingerprint(step: Step): string {
  const files = step.inputs.flatMap((input) =>
    Deno.statSync(ROOT + input).isDirectory ? filesBelow(input, /./) : [input]
  );
  const states = files.map((file) => {
    const { size, mtime } = Deno.statSync(ROOT + file);
    return `${file} ${size} ${mtime?.getTime()}`;
  });
  return `${step.recipe}\n${states.join("\n")}\n`;
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
