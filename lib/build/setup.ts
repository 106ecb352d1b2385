/** All of set-up, in order: packages, native libraries, BPF objects, web bundles. @module */
import { bpfSteps, bpfTestSteps } from "./bpf.ts";
import { guestSteps, QEMU } from "./guest_kernel.ts";
import { crossTarget, shimSteps, shimTestSteps } from "./native.ts";
import { installPackages, type Profile } from "./packages.ts";
import { programSteps, programTestSteps } from "./programs.ts";
import { exists, runSteps } from "./step.ts";
import { sysrootStep } from "./sysroot.ts";
import { tinyGuestSteps } from "./tiny_guest.ts";
import { webSteps } from "./web.ts";

/** Makes whatever of the profile is missing or out of date. */
export async function setUp(profile: Profile, say: (line: string) => void): Promise<void> {
  await installPackages(profile, say);
  const steps = [...shimSteps(), ...programSteps(), ...tinyGuestSteps(), ...bpfSteps(), ...webSteps()];
  if (profile === "test") {
    if (Deno.build.arch === "x86_64" && exists(`/usr/bin/${crossTarget().cc}`)) {
      steps.push(sysrootStep(), ...bpfSteps("aarch64"));
    }
    if (exists(QEMU)) steps.push(...guestSteps(["bookworm"]));
    steps.push(...bpfTestSteps(), ...shimTestSteps(), ...programTestSteps());
  }
  await runSteps(steps, say);
}
