import { ok, rejects } from "node:assert/strict";
import { compileProgram } from "../../lib/build/compile.ts";
import { exists } from "../../lib/build/step.ts";
import { toolPermissions } from "../../lib/build/tools.ts";
import { temporaryFolder } from "./packed.ts";

Deno.test("compileProgram(): a type error fails with the compiler's words, also without a runtime", async () => {
  using folder = temporaryFolder();
  const entry = `${folder.path}/broken.ts`;
  const output = `${folder.path}/broken`;
  await Deno.writeTextFile(entry, 'export const main = (): number => "three";\n');
  const program = { name: "broken", entry, permissions: [], commit: "test" };
  await rejects(compileProgram(program, { output, denort: undefined }), /TS2322/);
  ok(!exists(output));
  await Deno.writeTextFile(entry, "export const main = (): number => 3;\n");
  await compileProgram(program, { output, denort: undefined });
  ok(exists(output));
});

Deno.test("compileProgram(): a tool carries its worker, native libraries, BPF objects and pages", async () => {
  using folder = temporaryFolder();
  const output = `${folder.path}/rezolus`;
  const permissions = toolPermissions("rezolus");
  const program = { name: "rezolus", entry: "cmd/rezolus/main.ts", permissions, commit: "test-commit" };
  await compileProgram(program, { output, denort: { kind: "file", path: "/usr/bin/true" } });
  const text = new TextDecoder("latin1").decode(await Deno.readFile(output));
  for (
    const name of ["_sealer_worker.js", "bpf.so", "sched.bpf.o", "viewer.js", "viewer.css", "test-commit"]
  ) {
    ok(text.includes(name), `${name} is not in the executable`);
  }
});
