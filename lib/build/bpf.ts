/** BPF objects: each `bpf/<name>.bpf.c` becomes an asset, once per architecture (kprobe variants differ). @module */
import { ASSETS, ROOT, TEST_BUILD } from "./paths.ts";
import { exec, filesBelow, type Step } from "./step.ts";

const FLAGS = [
  "-O2",
  "-g",
  "-target",
  "bpf",
  "-mcpu=v3",
  "-std=gnu11",
  "-Wall",
  "-Wextra",
  "-Wno-unused-parameter",
  "-Werror",
];
const DEFINES = { x86_64: "-D__TARGET_ARCH_x86", aarch64: "-D__TARGET_ARCH_arm64" };

/** Names of all objects, from the files. */
export function bpfObjects(): string[] {
  return objectsIn("bpf");
}

/** Steps that compile every object for `arch`: for this machine into the assets, for another one to see that it can be. */
export function bpfSteps(arch: "x86_64" | "aarch64" = Deno.build.arch): Step[] {
  const folder = arch === Deno.build.arch ? `${ASSETS}bpf/` : `${TEST_BUILD}${arch}/bpf/`;
  return objectsIn("bpf").map((name) => objectStep(arch, "bpf", name, folder));
}

/** Steps for the objects that only tests load. */
export function bpfTestSteps(): Step[] {
  return objectsIn(TESTS).map((name) => objectStep(Deno.build.arch, TESTS, name, `${TEST_BUILD}bpf/`));
}

const TESTS = "tests/bpf";

function objectsIn(folder: string): string[] {
  const names = filesBelow(folder, /\.bpf\.c$/);
  return names.map((file) => file.slice(folder.length + 1, -".bpf.c".length));
}

function objectStep(arch: "x86_64" | "aarch64", from: string, name: string, to: string): Step {
  const source = `${from}/${name}.bpf.c`;
  const output = `${to}${name}.bpf.o`;
  const args = [...FLAGS, DEFINES[arch], `-I${ROOT}bpf`, "-I/usr/include", "-c", ROOT + source, "-o", output];
  return {
    name: `${arch}/${name}.bpf.o`,
    inputs: [source, ...filesBelow("bpf", /\.h$/)],
    outputs: [output],
    recipe: args.join(" "),
    run: async () => {
      await exec("clang", args);
    },
  };
}
