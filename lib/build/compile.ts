/**
 * `deno task compile`: one standalone executable per tool, the form of releases. The bundle, its workers and the assets
 * are laid out as in a packed file, so that the code finds them in both.
 * @module
 */
import { bundleProgram } from "./bundle.ts";
import { ASSETS, ROOT } from "./paths.ts";
import { exec } from "./step.ts";
import { RUNTIME_FLAGS } from "./tools.ts";

/** Any ELF file does for the check of everything but the runtime. */
const NO_RUNTIME = "/usr/bin/true";

/** What is compiled. */
export interface Program {
  readonly name: string;
  /** The module whose `main` is started, relative to the checkout or absolute. */
  readonly entry: string;
  readonly permissions: readonly string[];
  readonly commit: string;
}

/**
 * Makes `output`. Without a runtime (`denort` undefined) it does everything but that: types, bundle, what is included;
 * the file then starts nothing.
 * @throws {Error} On a type error, with the compiler's words.
 */
export async function compileProgram(
  { name, entry, permissions, commit }: Program,
  options: { readonly output: string; readonly denort: Runtime | undefined },
): Promise<void> {
  const { output, denort } = options;
  await exec(Deno.execPath(), ["check", "--quiet", entry.startsWith("/") ? entry : ROOT + entry], {
    cwd: ROOT,
  });
  const folder = await Deno.makeTempDir({ prefix: "hostkit-compile-" });
  try {
    const files = await bundleProgram(entry, { name, commit });
    for (const [file, text] of files) await Deno.writeTextFile(`${folder}/${file}`, text);
    await exec("cp", ["--recursive", ASSETS.slice(0, -1), `${folder}/assets`]);
    const [program, ...others] = files.keys();
    const workers = others.filter((file) => file.endsWith("_worker.js"));
    const includes = ["assets", ...workers].flatMap((file) => ["--include", file]);
    const flags = ["--no-config", "--no-lock", "--quiet", "--no-prompt", "--bundle", "--minify"];
    const args = [
      "compile",
      ...flags,
      ...permissions,
      ...RUNTIME_FLAGS,
      ...includes,
      "--output",
      output,
      program!,
    ];
    await exec(Deno.execPath(), args, { cwd: folder, env: runtimeEnv(denort) });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Where the standalone runtime comes from: a file, or Deno's own cache and download. */
export type Runtime = { readonly kind: "file"; readonly path: string } | { readonly kind: "deno" };

/** Finds the runtime; undefined where it is neither on this machine nor can be downloaded. */
export async function findRuntime(): Promise<Runtime | undefined> {
  const path = Deno.env.get("DENORT_BIN");
  if (path !== undefined) return { kind: "file", path };
  const folder = await Deno.makeTempDir({ prefix: "hostkit-compile-" });
  try {
    await Deno.writeTextFile(`${folder}/empty.js`, "");
    await exec(Deno.execPath(), ["compile", "--no-config", "--quiet", "--output", "empty", "empty.js"], {
      cwd: folder,
    });
    return { kind: "deno" };
  } catch (error) {
    // The one thing that an empty program can lack.
    if (/base binary|denort/.test(String(error))) return undefined;
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function runtimeEnv(denort: Runtime | undefined): Record<string, string> {
  if (denort?.kind === "deno") return {};
  return { DENORT_BIN: denort?.path ?? NO_RUNTIME };
}
