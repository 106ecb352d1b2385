/**
 * Headers and archives of libbpf, libelf and zlib for aarch64, unpacked into a folder: Debian has them as packages
 * of that architecture only, and adding a foreign architecture to the machine's apt would change the machine.
 * @module
 */
import { DebianArchive } from "./debian_archive.ts";
import { CROSS_SYSROOT } from "./native.ts";
import type { Step } from "./step.ts";

const PACKAGES = ["libbpf-dev", "libelf-dev", "zlib1g-dev"];

/** Fills the sysroot. */
export function sysrootStep(): Step {
  return {
    name: "sysroot-aarch64",
    inputs: [],
    outputs: PACKAGES.map((name) => `${CROSS_SYSROOT}/usr/share/doc/${name}/copyright`),
    recipe: PACKAGES.join(" "),
    run: async () => {
      await using archive = await DebianArchive.open({ architecture: "arm64" });
      await archive.unpack(PACKAGES, CROSS_SYSROOT);
    },
  };
}
