/** `ichimi-server migrate`: takes over what ichimi and vantage have kept, and leaves it where it is. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { toggle } from "../../lib/config/mod.ts";
import type { Taken } from "../../lib/ichimi/mod.ts";

export const migrate = command({
  name: "migrate",
  summary: "take over the processes that ichimi or vantage have kept",
  description:
    "Looks for snapshots and exports (YAML, KDL, JSON) in .ichimi and .vantage of this folder and of the home, or in the " +
    "folders and files that are named. What they describe is described here, too; nothing is started, and the originals " +
    "stay as they are. Of several descriptions of one id that of the newest file counts. Their databases are not read.",
  positionals: [{ name: "PATH", help: "folder or file", optional: true, many: true, complete: "file" }],
  options: {
    dryRun: option(toggle({ help: "Only tells what would be taken over.", fallback: false }), { short: "n" }),
    json: option(toggle({ help: "Prints what was found and taken as JSON.", fallback: false })),
  },
  examples: [
    ["ichimi-server migrate", "From this project and from home"],
    ["ichimi-server migrate -n ~/old/.vantage", "What there is"],
  ],
  async run({ args, options: { dryRun, json } }) {
    const paths = args.filter((path) => path !== undefined);
    const { findSnapshots, toJson } = await import("../../lib/ichimi/mod.ts");
    const found = paths.length > 0 ? findSnapshots(paths, { isNamed: true }) : findSnapshots(usualPlaces());
    const { files, processes } = found;
    const taken = dryRun || processes.length === 0
      ? undefined
      : await take(toJson({ timestamp: "", processes }));
    if (json) {
      print(
        `${
          JSON.stringify(
            {
              files,
              processes: processes.map(({ id }) => id),
              taken: taken ?? null,
            },
            null,
            2,
          )
        }\n`,
      );
    } else {
      for (const { path, count, problem } of files) print(`${path}: ${problem ?? processCount(count)}\n`);
      print(summary(processes.length, taken, dryRun));
    }
    return files.some(({ problem }) => problem !== undefined) ? 1 : 0;
  },
});

function usualPlaces(): string[] {
  const home = Deno.env.get("HOME");
  const folders = [Deno.cwd(), ...home === undefined || home === Deno.cwd() ? [] : [home]];
  return folders.flatMap((folder) => [`${folder}/.ichimi`, `${folder}/.vantage`]);
}

async function take(body: string): Promise<Taken> {
  const { DaemonClient, startDaemon } = await import("./connection.ts");
  using client = new DaemonClient();
  await startDaemon(client);
  const response = await client.fetch("/snapshot", { method: "POST", body });
  if (!response.ok) throw new Error(`Cannot take the processes over: ${(await response.text()).trim()}`);
  return await response.json();
}

function processCount(count: number): string {
  return `${count} ${count === 1 ? "process" : "processes"}`;
}

function summary(count: number, taken: Taken | undefined, dryRun: boolean): string {
  if (count === 0) return "There is nothing to take over.\n";
  if (taken === undefined) return dryRun ? `${processCount(count)} would be taken over.\n` : "";
  const { created, changed, skipped } = taken;
  const parts = [
    ...created.length > 0 ? [`${created.length} new: ${created.join(", ")}`] : [],
    ...changed.length > 0 ? [`${changed.length} described anew: ${changed.join(", ")}`] : [],
    ...skipped.length > 0
      ? [`${skipped.length} left as they are, since they run: ${skipped.join(", ")}`]
      : [],
  ];
  return `${parts.join("\n")}\n`;
}
