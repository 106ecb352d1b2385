/**
 * Static C executables: the launcher, which runs where there may be no libc of its version, and the keeper. Each for
 * this machine, with sanitizers, and, with the cross compiler, for aarch64.
 * @module
 */
import { crossTarget, SANITIZED, WARNINGS } from "./native.ts";
import { ASSETS, BUILD, ROOT, TEST_BUILD } from "./paths.ts";
import { exec, exists, filesBelow, type Step } from "./step.ts";

/** One folder of `ffi/` that becomes an executable. */
interface Program {
  readonly name: string;
  readonly output: string;
  /** Files of other folders that belong to it. */
  readonly shared: readonly string[];
}

/** Every program; a test compares this list with the folders. */
export const PROGRAMS: readonly Program[] = [
  { name: "launcher", output: `${BUILD}launcher`, shared: [] },
  {
    name: "keeper",
    output: `${ASSETS}bin/keeper`,
    shared: ["ring.c", "writer.c", "segments.c", "doorbell.c"].map((file) => `ffi/ring/${file}`),
  },
];

/** Builds all of them for this machine. */
export function programSteps(): Step[] {
  return PROGRAMS.map((program) => build(program, program.name, ["-O2", "-static", "-s"], program.output));
}

/** Builds those that tests run: with sanitizers, and for aarch64 where the cross compiler is there. */
export function programTestSteps(): Step[] {
  const steps = PROGRAMS.map((program) =>
    build(program, `${program.name}_test`, SANITIZED, `${TEST_BUILD}${program.name}`)
  );
  const { cc, arch } = crossTarget();
  if (Deno.build.arch === arch || !exists(`/usr/bin/${cc}`)) return steps;
  const crossed = PROGRAMS.map((program) => {
    const name = `${arch}/${program.name}`;
    return build(program, name, ["-O2", "-static"], TEST_BUILD + name, cc);
  });
  return [...steps, ...crossed];
}

function build(program: Program, name: string, flags: readonly string[], output: string, cc = "gcc"): Step {
  const { shared } = program;
  const sources = [...filesBelow(`ffi/${program.name}`, /\.c$/), ...shared].map((file) => ROOT + file);
  const args = [...WARNINGS, ...flags, ...sources, "-o", output];
  return {
    name,
    inputs: [`ffi/${program.name}`, "ffi/export.h", ...shared.length > 0 ? ["ffi/ring"] : []],
    outputs: [output],
    recipe: [cc, ...args].join(" "),
    run: async () => {
      await exec(cc, args);
    },
  };
}
