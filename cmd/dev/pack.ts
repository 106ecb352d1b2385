/** `deno task pack [FOLDER]`: one executable that holds every tool. @module */
import { setUp } from "../../lib/build/setup.ts";
import { currentCommit, pack, PACKED } from "../../lib/build/pack.ts";
import { type Answer, answersOf } from "../../lib/build/pack_answers.ts";
import { DIST } from "../../lib/build/paths.ts";
import { toolInfo } from "../../lib/version/mod.ts";
import { hostkitTree, TOOLS } from "../hostkit/tools.ts";

export async function run(args: string[]): Promise<number> {
  const started = performance.now();
  const say = (line: string) => console.error(`pack: ${line}`);
  await setUp("up", say);
  const folder = args[0] ?? DIST.slice(0, -1);
  const commit = await currentCommit() ?? "unknown";
  const size = await pack(folder, { answers: await packedAnswers(commit), commit, say });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `${folder}/${PACKED}, ${(size / 1e6).toFixed(1)} MB, tools ${
      Object.keys(TOOLS).join(", ")
    } (${seconds} s)`,
  );
  return 0;
}

/** What the packed file of this commit says without its runtime. */
export async function packedAnswers(commit: string): Promise<Answer[]> {
  const info = toolInfo(commit);
  const tools = await Promise.all(Object.values(TOOLS).map((load) => load()));
  const own = answersOf(await hostkitTree(), info);
  return [
    // A tool's commands answer in the tool's own name, however it was called.
    ...own.filter(({ words: [, word = ""] }) => !Object.hasOwn(TOOLS, word)),
    // A tool without a command may have a default one: that is for the tool to tell.
    ...tools.flatMap(({ tree }) => answersOf(tree, info).filter(({ words }) => words.length > 1)),
  ];
}
