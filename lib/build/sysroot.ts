/**
 * Headers and archives of libbpf, libelf and zlib for aarch64, unpacked into a folder: Debian has them as packages
 * of that architecture only, and adding a foreign architecture to the machine's apt would change the machine.
 * @module
 */
import { CROSS_SYSROOT } from "./native.ts";
import { BUILD } from "./paths.ts";
import { exec, type Step } from "./step.ts";

const PACKAGES = ["libbpf-dev", "libelf-dev", "zlib1g-dev"];

/** Fills the sysroot through an apt configuration of its own, with the mirror that the machine's apt uses. */
export function sysrootStep(): Step {
  return {
    name: "sysroot-aarch64",
    inputs: [],
    outputs: PACKAGES.map((name) => `${CROSS_SYSROOT}/usr/share/doc/${name}/copyright`),
    recipe: PACKAGES.join(" "),
    run: async () => {
      const state = `${BUILD}apt-aarch64`;
      for (const folder of ["lists/partial", "cache/archives/partial", "debs"]) {
        await Deno.mkdir(`${state}/${folder}`, { recursive: true });
      }
      await Deno.writeTextFile(`${state}/status`, "");
      const { uri, suite, component, keyring } = await debianMirror();
      await Deno.writeTextFile(
        `${state}/sources.list`,
        `deb [signed-by=${keyring}] ${uri} ${suite} ${component}\n`,
      );
      const options = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "3",
        "Dir::Cache": `${state}/cache`,
        "Dir::Etc::sourcelist": `${state}/sources.list`,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": `${state}/lists`,
        "Dir::State::status": `${state}/status`,
      };
      const flags = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
      await exec("apt-get", ["-q", ...flags, "update"]);
      await exec("apt-get", ["-q", ...flags, "download", ...PACKAGES], { cwd: `${state}/debs` });
      for (const entry of Deno.readDirSync(`${state}/debs`)) {
        await exec("dpkg-deb", ["-x", `${state}/debs/${entry.name}`, CROSS_SYSROOT]);
      }
      await Deno.remove(state, { recursive: true });
    },
  };
}

/** Where this machine got its libc from, and the keys that its archive is signed with. */
export async function debianMirror(): Promise<
  { uri: string; suite: string; component: string; keyring: string }
> {
  const policy = await exec("apt-cache", ["policy", "libc6"]);
  const [, uri, suite, component] = /^\s+\d+ (\S+:\/\/\S+) ([^\s/]+)\/(\S+) \S+ Packages$/m.exec(policy) ??
    [];
  if (uri === undefined || suite === undefined || component === undefined) {
    throw new Error(`Cannot find Debian's mirror: "apt-cache policy libc6" names none; run "apt-get update"`);
  }
  return { uri, suite, component, keyring: "/usr/share/keyrings/debian-archive-keyring.gpg" };
}
