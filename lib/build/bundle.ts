/**
 * The code of an executable: a module to start, one for each worker, and chunks that both share or that are loaded
 * when a command needs them, all in one folder.
 * @module
 */
import { BUILD, ROOT } from "./paths.ts";
import { exec, filesBelow } from "./step.ts";

const WORKER_URL = /new URL\("\.\/([a-z_]+_worker)\.ts",\s*import\.meta\.url\)/g;

/** Above the folder may stand a package.json of others, which would have a say in what a `.js` is. */
const PACKAGE_JSON = '{"type":"module"}\n';

/**
 * Bundles `entry` (relative to the checkout, or absolute), whose `main(words)` returns the exit code, as `<name>.js`.
 * Returns all files by name, the one to start first.
 */
export async function bundleProgram(
  entry: string,
  options: { readonly name: string; readonly commit: string },
): Promise<Map<string, string>> {
  const { name, commit } = options;
  const folder = await Deno.makeTempDir({ dir: BUILD, prefix: "bundle-" });
  try {
    // Modules of our own beside each other make every output lie in one folder, however deep the sources are.
    const module = entry.startsWith("/") ? entry : ROOT + entry;
    const starts = new Map([[
      name,
      `import { main } from ${JSON.stringify(module)};\nDeno.exit(await main(Deno.args));\n`,
    ]]);
    for (const worker of filesBelow("lib", /_worker\.ts$/)) {
      starts.set(baseName(worker), `import ${JSON.stringify(ROOT + worker)};\n`);
    }
    for (const [start, text] of starts) await Deno.writeTextFile(`${folder}/${start}.ts`, text);
    const modules = [...starts.keys()].map((start) => `${folder}/${start}.ts`);
    const flags = ["--quiet", "--minify", "--code-splitting", "--outdir", `${folder}/out`];
    await exec(Deno.execPath(), ["bundle", ...flags, ...modules], { cwd: ROOT });

    const files = new Map([[`${name}.js`, ""], ["package.json", PACKAGE_JSON]]);
    for (const file of [...Deno.readDirSync(`${folder}/out`)].map((each) => each.name).sort()) {
      files.set(file, rewriteBundle(await Deno.readTextFile(`${folder}/out/${file}`), commit));
    }
    return files;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Puts right what the bundler cannot know: what workers are called now, and the commit. */
export function rewriteBundle(text: string, commit: string): string {
  return text
    .replaceAll(WORKER_URL, (_, worker) => `new URL("./${worker}.js",import.meta.url)`)
    .replaceAll('"HOSTKIT_COMMIT"', JSON.stringify(commit));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1, -".ts".length);
}
