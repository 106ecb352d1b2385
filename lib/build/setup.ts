/** All of set-up, in order: packages, native libraries, BPF objects, web bundles. @module */
import { bpfSteps } from "./bpf.ts";
import { shimSteps, shimTestSteps } from "./native.ts";
import { installPackages, type Profile } from "./packages.ts";
import { runSteps } from "./step.ts";
import { webSteps } from "./web.ts";

/** Makes whatever of the profile is missing or out of date. */
export async function setUp(profile: Profile, say: (line: string) => void): Promise<void> {
  await installPackages(profile, say);
  const steps = [...shimSteps(), ...bpfSteps(), ...webSteps()];
  await runSteps(profile === "test" ? [...steps, ...shimTestSteps()] : steps, say);
}
