/** `deno task compile [TOOL…]`: a standalone executable of each tool, the form of releases. @module */
import { compileProgram, findRuntime } from "../../lib/build/compile.ts";
import { currentCommit, writeChecksums, writeLicenses } from "../../lib/build/pack.ts";
import { DIST } from "../../lib/build/paths.ts";
import { setUp } from "../../lib/build/setup.ts";
import { toolNames, toolPermissions } from "../../lib/build/tools.ts";

export async function run(args: string[]): Promise<number> {
  const known = toolNames();
  const wrong = args.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    console.error(`compile: unknown tool "${wrong}"; there are: ${known.join(", ")}`);
    return 2;
  }
  const say = (line: string) => console.error(`compile: ${line}`);
  await setUp("up", say);
  const denort = await findRuntime();
  const folder = denort === undefined
    ? await Deno.makeTempDir({ prefix: "hostkit-compile-" })
    : DIST.slice(0, -1);
  try {
    await Deno.mkdir(folder, { recursive: true });
    const commit = await currentCommit() ?? "unknown";
    for (const name of args.length > 0 ? args : known) {
      const output = `${folder}/${name}-${Deno.build.arch}-linux`;
      const program = { name, entry: `cmd/${name}/main.ts`, permissions: toolPermissions(name), commit };
      await compileProgram(program, { output, denort });
      say(denort === undefined ? `${name}: checked types, bundle and what is included` : output);
    }
    if (denort === undefined) {
      say(
        "no executable was made: denort is not on this machine and cannot be downloaded; set DENORT_BIN to one",
      );
    } else {
      await writeLicenses(folder);
      await writeChecksums(folder);
    }
    return 0;
  } finally {
    if (denort === undefined) await Deno.remove(folder, { recursive: true });
  }
}
