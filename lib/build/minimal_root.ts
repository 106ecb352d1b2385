/** A root folder that holds libc and libgcc and nothing else: what an executable may count on. @module */
import { dirname, exec, exists } from "./step.ts";

/** The Debian packages whose files the runtime is linked against. */
const PACKAGES = ["libc6", "libgcc-s1"];
/** Their loader and libraries; charset converters, documents and the like stay out. */
const LIBRARY = /^(\/usr)?\/lib(64)?\/.*\.so(\.\d+)*$/;
/** Places where the kernel's file systems and the run directory are mounted; of devices there is `null`. */
const MOUNT_POINTS = ["proc", "sys", "run", "dev"];

/** Where the packages' files go in a store as NixOS has one. */
export const STORE_FOLDERS = {
  libc6: `/nix/store/${"0".repeat(31)}c-glibc-2.36-9/lib`,
  "libgcc-s1": `/nix/store/${"0".repeat(31)}g-gcc-12.2.0-lib/lib`,
} as const;

/** Fills `root`. @throws {Error} Where dpkg does not know the packages. */
export async function makeMinimalRoot(root: string): Promise<void> {
  for (const file of await librariesOf(...PACKAGES)) await copyLibrary(file, root + file);
  await makeMountPoints(root);
}

/** Fills `root` with the same as NixOS has it: no `/lib` or `/lib64`, everything below `/nix/store`. */
export async function makeStoreRoot(root: string): Promise<void> {
  for (const [name, folder] of Object.entries(STORE_FOLDERS)) {
    for (const file of await librariesOf(name)) {
      await copyLibrary(file, root + folder + file.slice(file.lastIndexOf("/")));
    }
  }
  await makeMountPoints(root);
}

async function librariesOf(...packages: string[]): Promise<string[]> {
  const files = (await exec("dpkg", ["-L", ...packages])).split("\n");
  return files.filter((each) => LIBRARY.test(each) && !each.includes("/gconv/") && exists(each));
}

/** Links are followed: each name is a file of its own. */
async function copyLibrary(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(await Deno.realPath(from), to);
}

async function makeMountPoints(root: string): Promise<void> {
  for (const name of MOUNT_POINTS) await Deno.mkdir(`${root}/${name}`);
  await Deno.writeTextFile(`${root}/dev/null`, "");
}

/**
 * Arguments for `unshare` that run a program in the root as on a locked-down host: everything read-only, nothing but
 * `env` in the environment; with `runDir` a tmpfs on /run. The mounts end with the program.
 */
export function inMinimalRoot(
  root: string,
  command: readonly string[],
  options: { readonly runDir: boolean; readonly env?: Readonly<Record<string, string>> },
): string[] {
  const env = Object.entries(options.env ?? {}).map(([name, value]) => `${name}='${value}' `).join("");
  const script = [
    'mount --bind "$0" "$0"',
    'mount -t proc proc "$0/proc"',
    'mount --bind /dev/null "$0/dev/null"',
    'mount -t sysfs -o ro sys "$0/sys"',
    ...(options.runDir ? ['mount -t tmpfs -o mode=755 tmpfs "$0/run"'] : []),
    'mount -o remount,ro,bind "$0" "$0"',
    `exec env -i ${env}"$(command -v chroot)" "$0" "$@"`,
  ];
  return ["--mount", "--propagation", "private", "sh", "-ec", script.join("\n"), root, ...command];
}
