/** A root folder that holds libc and libgcc and nothing else: what an executable may count on. @module */
import { dirname, exec, exists } from "./step.ts";

/** The Debian packages whose files the runtime is linked against. */
const PACKAGES = ["libc6", "libgcc-s1"];
/** Their loader and libraries; charset converters, documents and the like stay out. */
const LIBRARY = /^(\/usr)?\/lib(64)?\/.*\.so(\.\d+)*$/;
/** Places where the kernel's file systems and the run directory are mounted. */
const MOUNT_POINTS = ["proc", "sys", "run"];

/** Fills `root`. @throws {Error} Where dpkg does not know the packages. */
export async function makeMinimalRoot(root: string): Promise<void> {
  const files = (await exec("dpkg", ["-L", ...PACKAGES])).split("\n");
  for (
    const file of files.filter((each) => LIBRARY.test(each) && !each.includes("/gconv/") && exists(each))
  ) {
    await Deno.mkdir(root + dirname(file), { recursive: true });
    // Links are followed: each name is a file of its own.
    await Deno.copyFile(await Deno.realPath(file), root + file);
  }
  for (const name of MOUNT_POINTS) await Deno.mkdir(`${root}/${name}`);
}

/**
 * Arguments for `unshare` that run a program in the root as on a locked-down host: everything read-only, nothing in
 * the environment; with `runDir` a tmpfs on /run. The mounts end with the program.
 */
export function inMinimalRoot(
  root: string,
  command: readonly string[],
  options: { runDir: boolean },
): string[] {
  const script = [
    'mount --bind "$0" "$0"',
    'mount -t proc proc "$0/proc"',
    'mount -t sysfs -o ro sys "$0/sys"',
    ...(options.runDir ? ['mount -t tmpfs -o mode=755 tmpfs "$0/run"'] : []),
    'mount -o remount,ro,bind "$0" "$0"',
    'exec env -i "$(command -v chroot)" "$0" "$@"',
  ];
  return ["--mount", "--propagation", "private", "sh", "-ec", script.join("\n"), root, ...command];
}
