/** What tests of drivers share. @module */
import { kernelPathExists, listKernelFolder } from "../../ffi/files/mod.ts";
import { existsSync } from "node:fs";
import { QEMU } from "../../lib/build/guest_kernel.ts";
import { tinyGuest } from "../../lib/cluster/drivers/mod.ts";
import type { Instance } from "../../lib/cluster/mod.ts";
import { leftOver } from "../../lib/keeper/mod.ts";
import { findHierarchies } from "../../lib/supervisor/mod.ts";
import { instanceOf } from "./_model.ts";

/** Says a number twenty times a second, and each byte that it is given; ends well on `q`, badly on `x`. */
const TICKING = `$| = 1; print "ready\\n";
for (my $n = 0;; $n++) {
  print "tick $n\\n";
  my $r = ""; vec($r, 0, 1) = 1;
  next unless select($r, undef, undef, 0.05);
  sysread(STDIN, my $b, 1) or exit 0;
  exit 0 if $b eq "q"; exit 7 if $b eq "x"; print "$b\\n";
}`;

export function ticking(id: string, epoch: number): Instance {
  return instanceOf(id, {
    placement: { node: "n", epoch },
    workload: {
      driver: "process",
      command: ["/usr/bin/perl", "-e", TICKING],
      env: {},
      cwd: null,
      input: "pipe",
    },
  });
}

/** Ends with code 7 as soon as a file is there. */
export function waiting(id: string, epoch: number, file: string): Instance {
  const script = `until [ -e "$FILE" ]; do sleep 0.02; done; exit 7`;
  const command = ["/bin/sh", "-c", script] as const;
  return instanceOf(id, {
    placement: { node: "n", epoch },
    workload: { driver: "process", command, env: { FILE: file }, cwd: null },
  });
}

/** Whether there is an emulator, and the guest that it runs. */
export const HAS_MICROVM: boolean = existsSync(QEMU) && existsSync(tinyGuest());

/** The same as `ticking` in a machine of its own, ten times a second; `q` shuts it down, `x` crashes it. */
export function tickingGuest(id: string, epoch: number): Instance {
  return instanceOf(id, {
    placement: { node: "n", epoch },
    resources: { cpuMillis: 1_000, memoryMib: 16, diskMib: 0 },
    workload: {
      driver: "microvm",
      kernel: { name: "tiny", sha256: "" },
      initrd: null,
      cmdline: `hello ${id}`,
      acceleration: "tcg",
    },
  });
}

/** Files, processes and cgroups that are left of a driver's instances; its own lock and doorbell may stay. */
export function leftIn(folder: string): string[] {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  return [
    ...names.filter((name) => name !== "manager.lock" && name !== ".doorbell"),
    ...leftOver({ folder }).map((pid) => `process ${pid}`),
    ...findHierarchies().flatMap(({ base }) => {
      const own = `${base}/hostkit/${ownerOf(folder)}`;
      return kernelPathExists(own) ? listKernelFolder(own).filter((name) => name.includes(".run-")) : [];
    }),
  ];
}

/** Tests that run at the same time have cgroups of their own. */
export function ownerOf(folder: string): string {
  return `hypervisor-${folder.slice(folder.lastIndexOf("-") + 1).replaceAll("/", "-")}`;
}
