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
    const modules = (from: string, suffix: string) =>
      [...starts.keys()].map((start) => `${from}/${start}${suffix}`);
    const bundle = (out: string, ...more: string[]) =>
      exec(Deno.execPath(), ["bundle", "--quiet", "--code-splitting", "--outdir", out, ...more], {
        cwd: ROOT,
      });
    const plain = `${folder}/plain`;
    await bundle(plain, ...modules(folder, ".ts"));
    for (const { name } of Deno.readDirSync(plain)) {
      const file = `${plain}/${name}`;
      await Deno.writeTextFile(file, keepUsing(await Deno.readTextFile(file)));
    }
    await bundle(`${folder}/out`, "--minify", ...modules(plain, ".js"));

    const files = new Map([[`${name}.js`, ""], ["package.json", PACKAGE_JSON]]);
    for (const file of [...Deno.readDirSync(`${folder}/out`)].map((each) => each.name).sort()) {
      files.set(file, rewriteBundle(await Deno.readTextFile(`${folder}/out/${file}`), commit));
    }
    return files;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Keeps what is disposed of at the end of its block. The minifier of Deno 2.9.6 (esbuild 0.25.5) puts a `using` that is
 * used once, in the next statement, in the place of its use, and with it drops its disposal: files and maps stayed open.
 * It does so only with the last name of a declaration, so each gets one more. `text` is as the bundler prints it: each
 * statement begins a line, and a longer one ends with the next line that is indented as little.
 */
export function keepUsing(text: string): string {
  const lines = text.split("\n");
  for (const [at, line] of lines.entries()) {
    const indent = /^( *)(?:await )?using [\w$]+ = /.exec(line)?.[1];
    if (indent === undefined) continue;
    const rest = line.endsWith(";") ? 0 : lines.slice(at + 1).findIndex((each) => {
      return each.startsWith(indent) && each[indent.length] !== " ";
    }) + 1;
    const last = lines[at + rest]!;
    if (!last.endsWith(";") || (rest === 0) !== line.endsWith(";")) {
      throw new Error(`Cannot bundle: the end of "${line.trim()}" is not found`);
    }
    lines[at + rest] = `${last.slice(0, -1)}, $disposed${at} = null;`;
  }
  return lines.join("\n");
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
