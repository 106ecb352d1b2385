/**
 * `deno task pack`: one file that holds every tool. A static launcher in front of the runtime in use, the bundle, its
 * workers and the assets of this architecture; help and the like stand in it ready-made.
 * @module
 */
import { bundleProgram } from "./bundle.ts";
import { licenseNotices } from "./licenses.ts";
import type { Answer } from "./pack_answers.ts";
import { layOut, type Part } from "./pack_file.ts";
import { ASSETS, BUILD, ROOT } from "./paths.ts";
import { programSteps } from "./programs.ts";
import { exec, filesBelow, runSteps } from "./step.ts";
import { packedArguments, toolNames } from "./tools.ts";
import { webFeatures } from "./web.ts";

const ENTRY = "cmd/hostkit/main.ts";
const LAUNCHER = `${BUILD}launcher`;
/** The packed file; links beside it have the tools' names. */
export const PACKED = "hostkit";
const CHECKSUMS = "SHA256SUMS";
/** What a command loads when it needs it. */
const LAZY_IMPORT = /\bimport\(("\.\/[\w.-]+\.js")\)/g;
/** Assets that only tests use. */
const TEST_ONLY = /(^|\/)selftest\./;

/** Makes `<folder>/hostkit`, a link for each tool, `LICENSES` and `SHA256SUMS`; returns the size of the file in bytes. */
export async function pack(
  folder: string,
  options: { readonly answers: readonly Answer[]; readonly commit: string; say(line: string): void },
): Promise<number> {
  const { answers, commit, say } = options;
  await runSteps(programSteps(), say);
  const files = await packedFiles(commit);
  const tools = toolNames();
  await Deno.mkdir(folder, { recursive: true });
  const licenses = await writeLicenses(folder);
  const encoder = new TextEncoder();
  const texts = [
    ...answers,
    ...[PACKED, ...tools].map((name) => ({ words: [name, "--licenses"], style: "any", text: licenses })),
  ];
  const parts: Part[] = [
    ...tools.map((name) => ({ kind: "tool" as const, name, args: packedArguments(name) })),
    ...files,
    ...texts.map(({ words, style, text }) => ({
      kind: "answer" as const,
      words,
      style,
      bytes: encoder.encode(text),
    })),
  ];
  const pieces = layOut(await Deno.readFile(LAUNCHER), parts, await keyOf(files));
  const size = await writePieces(`${folder}/${PACKED}`, pieces);
  for (const tool of tools) await replaceLink(`${folder}/${tool}`, PACKED);
  await writeChecksums(folder);
  return size;
}

/** `HEAD`, and whether the checkout differs from it; undefined outside a repository. */
export async function currentCommit(): Promise<string | undefined> {
  try {
    const commit = (await exec("git", ["rev-parse", "--short=12", "HEAD"], { cwd: ROOT })).trim();
    const changes = await exec("git", ["status", "--porcelain", "--untracked-files=no"], { cwd: ROOT });
    return changes === "" ? commit : `${commit} with changes`;
  } catch (error) {
    // No git, or an unpacked archive: the version then says that it does not know.
    if (error instanceof Deno.errors.NotFound || /exit 128/.test(String(error))) return undefined;
    throw error;
  }
}

/** Writes `SHA256SUMS` for the files of the folder, as `sha256sum --check` reads it. */
export async function writeChecksums(folder: string): Promise<void> {
  const names = [...Deno.readDirSync(folder)].filter(({ name, isFile }) => isFile && name !== CHECKSUMS).map((
    { name },
  ) => name);
  const lines = await Promise.all(
    names.sort().map(async (name) => {
      return `${await sha256(await Deno.readFile(`${folder}/${name}`))}  ${name}\n`;
    }),
  );
  await Deno.writeTextFile(`${folder}/${CHECKSUMS}`, lines.join(""));
}

/** Writes `LICENSES` into the folder: the notices of everything that stands in an executable; returns them. */
export async function writeLicenses(folder: string): Promise<string> {
  const pages = webFeatures().map((name) => `lib/${name}/web/main.tsx`);
  const notices = await licenseNotices([ENTRY, ...pages]);
  await Deno.writeTextFile(`${folder}/LICENSES`, notices);
  return notices;
}

type PackedFile = Extract<Part, { kind: "file" }>;

/** What is unpacked: the runtime, the bundle with its workers, and the assets. */
async function packedFiles(commit: string): Promise<PackedFile[]> {
  const bundle = await bundleProgram(ENTRY, { name: PACKED, commit });
  const encoder = new TextEncoder();
  const assets = filesBelow(ASSETS.slice(ROOT.length, -1), /./).map((file) => ROOT + file);
  return [
    { kind: "file", path: "deno", mode: 0o500, bytes: await Deno.readFile(Deno.execPath()) },
    ...[...bundle].map(([path, text]) => ({
      kind: "file" as const,
      path,
      mode: 0o400,
      bytes: encoder.encode(importLate(text)),
    })),
    ...assets.filter((file) => !TEST_ONLY.test(file)).map((file) => ({
      kind: "file" as const,
      path: `assets/${file.slice(ASSETS.length)}`,
      mode: /\.so$|\/bin\//.test(file) ? 0o500 : 0o400,
      bytes: Deno.readFileSync(file),
    })),
  ];
}

/**
 * Hides from the runtime what commands import: at the first start it would parse all of it, also of other commands,
 * which costs an agent 7 MiB for as long as it runs.
 */
export function importLate(text: string): string {
  return text.replaceAll(LAZY_IMPORT, "import((0,$1))");
}

/** The name of these contents: what is unpacked under it never changes. */
async function keyOf(files: readonly PackedFile[]): Promise<string> {
  const encoder = new TextEncoder();
  const digests = await Promise.all(files.map(async ({ path, mode, bytes }) => {
    return `${path} ${mode.toString(8)} ${await sha256(bytes)}\n`;
  }));
  return (await sha256(encoder.encode(digests.join("")))).slice(0, 32);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(hash).toHex();
}

/** Replaces the file by a rename: one that runs keeps its contents, and a kill leaves the one before. */
async function writePieces(path: string, pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<number> {
  const fresh = `${path}.new`;
  let size = 0;
  {
    using file = await Deno.open(fresh, { write: true, create: true, truncate: true, mode: 0o755 });
    for (const piece of pieces) {
      for (let written = 0; written < piece.length;) written += await file.write(piece.subarray(written));
      size += piece.length;
    }
  }
  await Deno.rename(fresh, path);
  return size;
}

async function replaceLink(path: string, target: string): Promise<void> {
  await Deno.symlink(target, `${path}.new`);
  await Deno.rename(`${path}.new`, path);
}
