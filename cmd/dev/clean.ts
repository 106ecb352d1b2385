/** `deno task clean`: removes what set-up, tests and executables have made. @module */
import { BUILD, DIST, ROOT } from "../../lib/build/paths.ts";
import { exec } from "../../lib/build/step.ts";

export async function run(): Promise<number> {
  // Never beyond a mount: the soak run mounts this machine's /sys and /dev below the build folder.
  await exec("rm", ["-rf", "--one-file-system", BUILD, DIST, `${ROOT}coverage`]);
  return 0;
}
