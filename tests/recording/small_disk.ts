/** A small file system of its own, for what happens when it is full. @module */

/** True when small file systems can be mounted: as root, and not in a container that forbids it. */
export const CAN_MOUNT: boolean = Deno.uid() === 0 && (() => {
  const path = Deno.makeTempDirSync({ prefix: "hostkit-mount-" });
  const can = mount(path, 64) && unmount(path);
  Deno.removeSync(path);
  return can;
})();

/** Mounts a file system of so many KiB; it goes away with the test. */
export function smallDisk(kib: number): Disposable & { readonly path: (name: string) => string } {
  const root = Deno.makeTempDirSync({ prefix: "hostkit-small-" });
  if (!mount(root, kib)) throw new Error(`Cannot mount a tmpfs on ${root}`);
  return {
    path: (name) => `${root}/${name}`,
    [Symbol.dispose]: () => {
      unmount(root);
      Deno.removeSync(root);
    },
  };
}

/** Fills the disk with a file, to the last byte. */
export function fill(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  const block = new Uint8Array(512);
  for (;;) {
    try {
      file.writeSync(block);
    } catch (error) {
      if (/No space left/.test((error as Error).message)) return;
      throw error;
    }
  }
}

function mount(path: string, kib: number): boolean {
  return run("mount", "-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", path);
}

function unmount(path: string): boolean {
  // At once from the tree, in truth when the last handle is gone: SQLite's outlive a failure until they are collected.
  return run("umount", "--lazy", path);
}

function run(program: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
