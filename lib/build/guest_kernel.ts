/**
 * Debian's stock kernels for guests in which tests run what this machine's own kernel lacks: kprobes, fentry, older
 * interfaces, CPUs that go offline. The packages are unpacked, not installed.
 * @module
 */
import { type ArchiveOptions, DebianArchive } from "./debian_archive.ts";
import { BUILD } from "./paths.ts";
import { exec, exists, type Step } from "./step.ts";

/** Debian's releases whose kernels guests boot, oldest first. */
export const GUEST_SUITES = ["bullseye", "bookworm", "trixie"] as const;
export type GuestSuite = typeof GUEST_SUITES[number];

/** The emulator, and the accelerator that runs any kernel anywhere. */
export const QEMU = "/usr/bin/qemu-system-x86_64";

/** Files of a guest's kernel. */
export interface GuestKernel {
  readonly vmlinuz: string;
  readonly busybox: string;
  /** Modules of the virtio serial port, as far as they are not built in. */
  readonly modules: string;
}

/** A static shell with the usual programs, the same in every guest. */
const BUSYBOX = `${BUILD}guest/busybox`;

/** Where the steps of a suite put its files. */
export function guestKernel(suite: GuestSuite): GuestKernel {
  const folder = `${BUILD}guest/${suite}`;
  return { vmlinuz: `${folder}/vmlinuz`, busybox: BUSYBOX, modules: `${folder}/modules` };
}

/** Debian's name for a kernel without drivers of real hardware: 25 MB instead of 70. */
const KERNEL = "linux-image-cloud-amd64";

/** Fetches the kernels of suites, and a busybox. */
export function guestSteps(suites: readonly GuestSuite[]): Step[] {
  return [busyboxStep(), ...suites.map(kernelStep)];
}

function busyboxStep(): Step {
  return {
    name: "guest-busybox",
    inputs: [],
    outputs: [BUSYBOX],
    recipe: "busybox-static",
    run: () =>
      unpacked({ architecture: "amd64" }, () => Promise.resolve("busybox-static"), async (folder) => {
        await Deno.copyFile(
          ["/usr/bin", "/bin"].map((bin) => `${folder}${bin}/busybox`).find(exists)!,
          BUSYBOX,
        );
      }),
  };
}

function kernelStep(suite: GuestSuite): Step {
  const { vmlinuz, modules } = guestKernel(suite);
  return {
    name: `guest-${suite}`,
    inputs: [],
    outputs: [vmlinuz, modules],
    recipe: KERNEL,
    run: () =>
      unpacked(
        { architecture: "amd64", suite },
        (archive) => archive.firstDependency(KERNEL),
        async (folder) => {
          const boot = [...Deno.readDirSync(`${folder}/boot`)].map(({ name }) => name);
          await Deno.copyFile(`${folder}/boot/${boot.find((name) => name.startsWith("vmlinuz-"))}`, vmlinuz);
          await Deno.mkdir(modules, { recursive: true });
          const found = (await exec("find", [folder, "-name", "virtio*.ko"])).split("\n");
          for (const path of found.filter((line) => line !== "")) {
            await Deno.copyFile(path, `${modules}/${path.slice(path.lastIndexOf("/") + 1)}`);
          }
        },
      ),
  };
}

/** Unpacks one package into a folder that is there for `use` only. */
async function unpacked(
  options: ArchiveOptions,
  name: (archive: DebianArchive) => Promise<string>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  // A name of its own: of an attempt that failed another kernel would be left there.
  const folder = await Deno.makeTempDir({ dir: `${BUILD}guest`, prefix: "unpacked-" });
  try {
    await using archive = await DebianArchive.open(options);
    await archive.unpack([await name(archive)], folder);
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
