/** The project's own tasks (`deno task …`); each lives in a file of its own and loads only what it needs. @module */
const TASKS: Record<string, () => Promise<{ run(args: string[]): Promise<number> }>> = {
  bench: () => import("./bench.ts"),
  check: () => import("./check.ts"),
  clean: () => import("./clean.ts"),
  compile: () => import("./compile.ts"),
  coverage: () => import("./coverage.ts"),
  fmt: () => import("./fmt.ts"),
  generate: () => import("./generate.ts"),
  lint: () => import("./lint.ts"),
  pack: () => import("./pack.ts"),
  proto: () => import("./proto.ts"),
  setup: () => import("./setup.ts"),
  soak: () => import("./soak.ts"),
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
