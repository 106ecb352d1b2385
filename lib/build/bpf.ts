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
  return filesBelow("bpf", /\.bpf\.c$/).map((file) => file.slice("bpf/".length, -".bpf.c".length));
}

/** Steps that compile every object for `arch`. */
export function bpfSteps(arch: "x86_64" | "aarch64" = Deno.build.arch): Step[] {
  const folder = arch === Deno.build.arch ? `${ASSETS}bpf/` : `${TEST_BUILD}${arch}/bpf/`;
  return bpfObjects().map((name) => {
    const output = `${folder}${name}.bpf.o`;
    const args = [
      ...FLAGS,
      DEFINES[arch],
      `-I${ROOT}bpf`,
      "-I/usr/include",
      "-c",
      `${ROOT}bpf/${name}.bpf.c`,
      "-o",
      output,
    ];
    return {
      name: `${arch}/${name}.bpf.o`,
      inputs: [`bpf/${name}.bpf.c`, ...filesBelow("bpf", /\.h$/)],
      outputs: [output],
      recipe: args.join(" "),
      run: async () => {
        await exec("clang", args);
      },
    };
  });
}
