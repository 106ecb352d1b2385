/** Licence notices of everything that stands in an executable. @module */
import { ROOT } from "./paths.ts";
import { exec, exists } from "./step.ts";

const NOTICE_FILE = /^(licen[cs]e|copying|notice)/i;

/** What is linked into the shims and the launcher, and the Debian package that holds its notice. */
const DEBIAN_PARTS: readonly [what: string, debianPackage: string][] = [
  ["libbpf, in the library bpf.so; used here under BSD-2-Clause", "libbpf-dev"],
  ["libelf of elfutils, in the library bpf.so; LGPL-3+ or GPL-2+", "libelf-dev"],
  ["zlib, in the library bpf.so", "zlib1g-dev"],
  ["the GNU C library, in the launcher; LGPL-2.1+", "libc6-dev"],
];

/** What `deno info --json` tells of the packages behind a module. */
interface ModuleGraph {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly localPath: string;
}

/** Returns the notices of the packages behind `entries` (relative to the checkout) and of what is built in. */
export async function licenseNotices(entries: readonly string[]): Promise<string> {
  const packages = new Map<string, NpmPackage>();
  for (const entry of entries) {
    const graph = JSON.parse(await exec(Deno.execPath(), ["info", "--json", ROOT + entry], { cwd: ROOT }));
    for (const found of packagesOf(graph)) {
      // An optional one for another machine is not there, and not in an executable either.
      if (exists(found.localPath)) packages.set(`${found.name} ${found.version}`, found);
    }
  }
  const own = Deno.readTextFileSync(`${ROOT}LICENSE`);
  const sections = [
    section("hostkit", own),
    section(
      `Deno ${Deno.version.deno}, with V8 ${Deno.version.v8}`,
      `${
        mitText(own, "Copyright 2018-2026 the Deno authors")
      }\nDeno contains V8 (BSD-3-Clause, Copyright 2014 ` +
        `the V8 project authors), SQLite (public domain)\nand Rust crates under the MIT, Apache-2.0, ISC, BSD, ` +
        `Zlib, Unicode and MPL-2.0 licences.\n`,
    ),
    ...DEBIAN_PARTS.map(([what, name]) => section(what, debianNotice(name))),
    ...[...packages].sort().map(([name, { localPath }]) => section(`${name} (npm)`, npmNotice(localPath))),
  ];
  return sections.join("\n");
}

/** The packages that modules come from, with those they depend on. */
export function packagesOf({ modules, npmPackages }: ModuleGraph): NpmPackage[] {
  const ids = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  // A set that grows while it is walked: each package brings those it depends on.
  for (const id of ids) npmPackages[id]?.dependencies.forEach((dependency) => ids.add(dependency));
  return [...ids].flatMap((id) => npmPackages[id] ?? []);
}

function section(title: string, text: string): string {
  return `${"=".repeat(100)}\n${title}\n${"=".repeat(100)}\n${text.trimEnd()}\n`;
}

/** The MIT licence of our own file with another holder. */
function mitText(own: string, holder: string): string {
  return own.replace(/^Copyright .*$/m, holder);
}

function debianNotice(name: string): string {
  const path = `/usr/share/doc/${name}/copyright`;
  if (!exists(path)) throw new Error(`Cannot collect licence notices: ${path} is missing`);
  return Deno.readTextFileSync(path);
}

function npmNotice(folder: string): string {
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    NOTICE_FILE.test(name)
  );
  if (files.length > 0) {
    return files.sort().map((name) => Deno.readTextFileSync(`${folder}/${name}`)).join("\n");
  }
  const { license, author } = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`));
  if (typeof license !== "string") {
    throw new Error(`Cannot collect licence notices: ${folder} has no licence file`);
  }
  return `Licence: ${license}. Author: ${typeof author === "string" ? author : author?.name ?? "not named"}.`;
}
