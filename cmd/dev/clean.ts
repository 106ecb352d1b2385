/** `deno task clean`: removes what set-up, tests and executables have made. @module */
import { BUILD, DIST, ROOT } from "../../lib/build/paths.ts";
import { exists } from "../../lib/build/step.ts";

export async function run(): Promise<number> {
  const mounts = Deno.readTextFileSync("/proc/self/mounts").split("\n").map((line) =>
    line.split(" ")[1] ?? ""
  );
  const mounted = mounts.find((point) => point.startsWith(BUILD));
  if (mounted !== undefined) throw new Error(`Cannot remove ${BUILD}: ${mounted} is mounted`);
  for (const folder of [BUILD, DIST, `${ROOT}coverage/`]) {
    if (exists(folder.slice(0, -1))) await Deno.remove(folder, { recursive: true });
  }
  return 0;
}
