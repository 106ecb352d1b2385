/**
 * C shims: one shared library a folder of `ffi/`, for this machine and, with the cross compiler, for aarch64;
 * and their C test programs, under AddressSanitizer and UBSan here and under qemu-user there.
 * @module
 */
import { ASSETS, BUILD, ROOT, TEST_BUILD } from "./paths.ts";
import { exec, exists, filesBelow, type Step } from "./step.ts";

/** One folder of `ffi/` that becomes `<name>.so`. */
export interface Shim {
  readonly name: string;
  /** Links libbpf, libelf and zlib into the library (see `libbpfArchive`). */
  readonly withLibbpf?: boolean;
  /** Headers of other folders that it includes. */
  readonly headers?: readonly string[];
}

/** How a keeper gives sockets away, for those who ask it. */
const HANDOVER = ["keeper", "handover", "handover_test"].map((name) => `ffi/keeper/${name}.h`);

/** Every shim; a test compares this list with the folders. */
export const SHIMS: readonly Shim[] = [
  { name: "bpf", withLibbpf: true },
  { name: "ring" },
  { name: "files" },
  { name: "interpose", headers: HANDOVER },
  { name: "sockets", headers: HANDOVER },
  { name: "sys" },
];

/** How all C of the house is compiled. */
export const WARNINGS: readonly string[] = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"];
const SHARED = [
  "-O2",
  "-fPIC",
  "-fvisibility=hidden",
  "-shared",
  "-Wl,-z,text",
  // A thread may still wait in it while the runtime lets go of it at the end: its code must stay where it is.
  "-Wl,-z,nodelete",
  "-Wl,-z,defs",
  "-Wl,--gc-sections",
];
/** And its test programs. */
export const SANITIZED: readonly string[] = [
  "-g",
  "-O1",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
];

/** The machine's own compiler and the cross compiler; the sysroot holds what Debian has no cross package of. */
export interface Target {
  readonly arch: "x86_64" | "aarch64";
  readonly cc: string;
  readonly objcopy: string;
  /** Where libbpf's, libelf's and zlib's archives stand. */
  readonly libraries: string;
  readonly includes: readonly string[];
}

/** The target this process runs on. */
function hostTarget(): Target {
  const arch = Deno.build.arch;
  return { arch, cc: "gcc", objcopy: "objcopy", libraries: `/usr/lib/${arch}-linux-gnu`, includes: [] };
}

/** aarch64 from an x86_64 machine. */
export const CROSS_SYSROOT = `${BUILD}sysroot-aarch64`;
export function crossTarget(): Target {
  return {
    arch: "aarch64",
    cc: "aarch64-linux-gnu-gcc",
    objcopy: "aarch64-linux-gnu-objcopy",
    libraries: `${CROSS_SYSROOT}/usr/lib/aarch64-linux-gnu`,
    includes: [`-I${CROSS_SYSROOT}/usr/include`],
  };
}

/** Steps that build every shim for the machine itself into the assets. */
export function shimSteps(): Step[] {
  return SHIMS.map((shim) => shimStep(shim, hostTarget(), `${ASSETS}lib/${shim.name}.so`));
}

/** Steps that tests need beside: sanitized test programs, and the shims and programs for aarch64. */
export function shimTestSteps(): Step[] {
  const steps = SHIMS.map((shim) => testProgramStep(shim, hostTarget(), SANITIZED, ""));
  if (Deno.build.arch !== "x86_64" || !exists("/usr/bin/aarch64-linux-gnu-gcc")) return steps;
  const cross = crossTarget();
  for (const shim of SHIMS) {
    steps.push(shimStep(shim, cross, `${TEST_BUILD}aarch64/${shim.name}.so`));
    steps.push(testProgramStep(shim, cross, ["-O2", "-static"], "aarch64/"));
  }
  return steps;
}

function shimStep(shim: Shim, target: Target, output: string): Step {
  const sources = sourcesOf(shim);
  const args = [
    ...WARNINGS,
    ...SHARED,
    ...target.includes,
    ...sources.map((file) => ROOT + file),
    "-o",
    output,
  ];
  return {
    name: `${target.arch}/${shim.name}.so`,
    inputs: inputsOf(shim),
    outputs: [output],
    recipe: [target.cc, ...args].join(" ") + BPF_RECIPE,
    run: async () => {
      await exec(target.cc, [...args, ...(shim.withLibbpf === true ? await libbpfFlags(target) : [])]);
    },
  };
}

function testProgramStep(shim: Shim, target: Target, flags: readonly string[], folder: string): Step {
  const output = `${TEST_BUILD}${folder}${shim.name}_test`;
  const sources = [...sourcesOf(shim), `ffi/${shim.name}/${shim.name}_test.c`].map((file) => ROOT + file);
  const args = [...WARNINGS, ...flags, ...target.includes, ...sources, "-o", output, "-pthread"];
  const libbpf = [`-L${target.libraries}`, "-lbpf", "-lelf", "-lz"];
  return {
    name: `${target.arch}/${shim.name}_test`,
    inputs: inputsOf(shim),
    outputs: [output],
    recipe: [target.cc, ...args].join(" "),
    run: async () => {
      await exec(target.cc, [...args, ...(shim.withLibbpf === true ? libbpf : [])]);
    },
  };
}

function inputsOf({ name, headers = [] }: Shim): string[] {
  return [`ffi/${name}`, "ffi/export.h", ...headers];
}

function sourcesOf(shim: Shim): string[] {
  return filesBelow(`ffi/${shim.name}`, /\.c$/).filter((file) => !file.endsWith("_test.c"));
}

/** Bumped when `libbpfFlags` changes what it makes. */
const BPF_RECIPE = " bpf-archives 1";

/**
 * Debian's archives are position independent enough for an executable, not for a shared library: libbpf refers to
 * libc's `stderr` as data, and libelf's error code is thread-local in the local-exec model. So a copy of libbpf names
 * a hidden variable of ours instead (set in `glue.c`), and our `elf_error.c` defines libelf's three error functions
 * first, so that the archive's own object is never pulled in.
 */
async function libbpfFlags(target: Target): Promise<string[]> {
  const folder = `${BUILD}${target.arch}`;
  await Deno.mkdir(folder, { recursive: true });
  await exec(target.objcopy, [
    "--redefine-sym",
    "stderr=hk_stderr",
    `${target.libraries}/libbpf.a`,
    `${folder}/libhkbpf.a`,
  ]);
  const archives = [
    "-Wl,--exclude-libs,ALL",
    "-Wl,-Bstatic",
    "-lhkbpf",
    "-lelf",
    "-lz",
    "-Wl,-Bdynamic",
    "-lc",
  ];
  return [`-L${folder}`, `-L${target.libraries}`, ...archives];
}
