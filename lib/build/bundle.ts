/** The bundle of an executable: one module, a module for each worker it starts, and nothing else. @module */
import { BUILD, ROOT } from "./paths.ts";
import { exec, filesBelow } from "./step.ts";

/** Names of modules in the bundle end so: beside a foreign package.json a `.js` might be taken for CommonJS. */
const SUFFIX = ".mjs";
const WORKER_URL = /new URL\("\.\/([a-z_]+_worker)\.ts",\s*import\.meta\.url\)/g;

/** Bundles `entry` (relative to the checkout, or absolute) and the workers it starts; returns them by file name. */
export async function bundleProgram(
  entry: string,
  options: { readonly name: string; readonly commit: string },
): Promise<Map<string, string>> {
  const program = await bundle(entry, options.commit);
  const files = new Map([[`${options.name}${SUFFIX}`, program.text]]);
  for (const worker of program.workers) {
    const source = filesBelow("lib", /_worker\.ts$/).find((file) => file.endsWith(`/${worker}.ts`));
    if (source === undefined) throw new Error(`Cannot bundle ${entry}: lib has no worker ${worker}.ts`);
    const { text, workers } = await bundle(source, options.commit);
    if (workers.length > 0 && workers.some((each) => each !== worker)) {
      throw new Error(`Cannot bundle ${source}: it starts workers itself: ${workers.join(", ")}`);
    }
    files.set(`${worker}${SUFFIX}`, text);
  }
  return files;
}

async function bundle(entry: string, commit: string): Promise<{ text: string; workers: string[] }> {
  const folder = await Deno.makeTempDir({ dir: BUILD, prefix: "bundle-" });
  try {
    const output = `${folder}/out.mjs`;
    const module = entry.startsWith("/") ? entry : ROOT + entry;
    await exec(Deno.execPath(), ["bundle", "--quiet", "--minify", "-o", output, module], { cwd: ROOT });
    return rewriteBundle(await Deno.readTextFile(output), commit);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Puts a bundle right where the bundler cannot know: workers are separate modules beside it, only its own entry is
 * the main module (every `import.meta` in it is the same, so that each tool would start at its import), and it knows
 * its commit.
 */
export function rewriteBundle(text: string, commit: string): { text: string; workers: string[] } {
  const workers = [...new Set([...text.matchAll(WORKER_URL)].map(([, worker]) => worker!))];
  // The entry's own test comes last: a bundle holds modules before those that import them.
  const main = text.lastIndexOf("import.meta.main");
  const placed = [...text.matchAll(/import\.meta\.main/g)].reverse().reduce(
    (result, { index }) =>
      index === main
        ? result
        : `${result.slice(0, index)}false${result.slice(index + "import.meta.main".length)}`,
    text,
  );
  return {
    text: placed
      .replaceAll(WORKER_URL, (_, worker) => `new URL("./${worker}${SUFFIX}",import.meta.url)`)
      .replaceAll('"HOSTKIT_COMMIT"', JSON.stringify(commit)),
    workers,
  };
}
