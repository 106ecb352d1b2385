/** The smallest guest of a virtual machine: an ELF file that PVH starts. Only x86_64 has that. @module */
import { ASSETS, BUILD, ROOT } from "./paths.ts";
import { exec, type Step } from "./step.ts";

const SOURCE = "lib/cluster/drivers/microvm/guest";

/** Builds it into the assets: drivers try with it what a machine can do. */
export function tinyGuestSteps(): Step[] {
  if (Deno.build.arch !== "x86_64") return [];
  const object = `${BUILD}tiny_guest.o`;
  const output = `${ASSETS}guest/tiny.elf`;
  const assemble = ["-m32", "-c", `${ROOT}${SOURCE}/tiny.S`, "-o", object];
  const script = `${ROOT}${SOURCE}/tiny.ld`;
  const link = ["-m", "elf_i386", "--no-warn-rwx-segments", "-s", "-T", script, object, "-o", output];
  return [{
    name: "tiny_guest",
    inputs: [SOURCE],
    outputs: [output],
    recipe: ["gcc", ...assemble, "ld", ...link].join(" "),
    run: async () => {
      await exec("gcc", assemble);
      await exec("ld", link);
    },
  }];
}
