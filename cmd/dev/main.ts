/** The project's own tasks (`deno task …`); each lives in a file of its own and loads only what it needs. @module */
const TASKS: Record<string, () => Promise<{ run(args: string[]): Promise<number> }>> = {
  generate: () => import("./generate.ts"),
  pack: () => import("./pack.ts"),
  setup: () => import("./setup.ts"),
  test: () => import("./test.ts"),
  up: () => import("./up.ts"),
};

const [name = "", ...args] = Deno.args;
const task = TASKS[name];
if (task === undefined) {
  console.error(`dev: unknown task "${name}"; there are: ${Object.keys(TASKS).join(", ")}`);
  Deno.exit(2);
}
try {
  Deno.exit(await (await task()).run(args));
} catch (error) {
  console.error(`${name}: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
