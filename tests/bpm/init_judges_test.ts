/** What init reads out of manifests, beside what cargo and npm themselves make of them. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { diskFolder, findProcesses } from "../../lib/bpm/init/mod.ts";

async function has(program: string): Promise<boolean> {
  return await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
}

async function output(folder: string, program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd: folder, stdin: "null" })
    .output();
  const text = new TextDecoder();
  ok(success, text.decode(stderr));
  return text.decode(stdout);
}

/** Files with their texts; those without one are sources that cargo only has to find. */
type Files = Readonly<Record<string, string>>;

function made(files: Files): { readonly path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "bpm-judge-" });
  for (const [name, text] of Object.entries(files)) {
    const file = `${path}/${name}`;
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(file, text);
  }
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

const MAIN = "fn main() {}\n";
const crate = (name: string, more = "", edition = 'edition = "2021"\n') =>
  `[package]\nname = "${name}"\nversion = "0.1.0"\n${edition}${more}`;

const CRATES: [string, Files][] = [
  ["a crate with one binary", { "Cargo.toml": crate("one"), "src/main.rs": MAIN }],
  ["a library", { "Cargo.toml": crate("one"), "src/lib.rs": "" }],
  ["binaries that cargo finds by itself", {
    "Cargo.toml": crate("one"),
    "src/main.rs": MAIN,
    "src/bin/two.rs": MAIN,
    "src/bin/three/main.rs": MAIN,
    "src/bin/four/other.rs": MAIN,
    "src/bin/notes.txt": "",
  }],
  ["named binaries, one of them without a path, one in place of another", {
    "Cargo.toml": crate(
      "one",
      '[[bin]]\nname = "two"\n[[bin]]\nname = "odd"\npath = "tools/odd.rs"\n[[bin]]\nname = "first"\npath = "src/main.rs"\n',
    ),
    "src/main.rs": MAIN,
    "src/bin/two.rs": MAIN,
    "src/bin/three.rs": MAIN,
    "tools/odd.rs": MAIN,
  }],
  ["binaries that it must not look for", {
    "Cargo.toml": crate("one", 'autobins = false\n[[bin]]\nname = "two"\n'),
    "src/main.rs": MAIN,
    "src/bin/two.rs": MAIN,
  }],
  ["the first edition, where a named one ends the search", {
    "Cargo.toml": crate("one", '[[bin]]\nname = "two"\npath = "two.rs"\n', ""),
    "src/main.rs": MAIN,
    "two.rs": MAIN,
  }],
  ["the first edition with the search switched on", {
    "Cargo.toml": crate("one", 'autobins = true\n[[bin]]\nname = "two"\npath = "two.rs"\n', ""),
    "src/main.rs": MAIN,
    "two.rs": MAIN,
  }],
  ["a workspace with patterns, exclusions and a folder without a crate", {
    "Cargo.toml":
      '[workspace]\nresolver = "2"\nmembers = ["crates/*", "tools/gen"]\nexclude = ["crates/old"]\n',
    "crates/a/Cargo.toml": crate("a"),
    "crates/a/src/main.rs": MAIN,
    "crates/b/Cargo.toml": crate("b"),
    "crates/b/src/lib.rs": "",
    "crates/old/Cargo.toml": crate("old"),
    "crates/old/src/main.rs": MAIN,
    "tools/gen/Cargo.toml": crate("gen"),
    "tools/gen/src/bin/gen-all.rs": MAIN,
  }],
  ["a root package whose dependencies by path are members too, and theirs", {
    "Cargo.toml": '[workspace]\n[workspace.dependencies]\nfar = { path = "libs/far" }\n' +
      crate("root", '[dependencies]\nnear = { path = "near" }\n'),
    "src/main.rs": MAIN,
    "near/Cargo.toml": crate("near", "[target.'cfg(unix)'.build-dependencies]\nfar = { workspace = true }\n"),
    "near/src/lib.rs": "",
    "near/src/main.rs": MAIN,
    "libs/far/Cargo.toml": crate("far"),
    "libs/far/src/lib.rs": "",
    "libs/far/src/bin/far-tool.rs": MAIN,
  }],
  ["members that start by default", {
    "Cargo.toml": '[workspace]\nresolver = "2"\nmembers = ["a", "b", "c"]\ndefault-members = ["b", "c"]\n',
    ...Object.fromEntries(["a", "b", "c"].flatMap((name) => [
      [`${name}/Cargo.toml`, crate(name)],
      [`${name}/src/main.rs`, MAIN],
    ])),
  }],
];

interface Metadata {
  readonly workspace_default_members: readonly string[];
  readonly packages: readonly {
    readonly id: string;
    readonly name: string;
    readonly targets: readonly { readonly name: string; readonly kind: readonly string[] }[];
  }[];
}

/** Before 1.71 it does not tell which members start by default. */
const CARGO_TELLS = await new Deno.Command("cargo", { args: ["--version"], stderr: "null" }).output().then(
  ({ stdout }) => Number(/^cargo 1\.(\d+)/.exec(new TextDecoder().decode(stdout))?.[1] ?? 0) >= 71,
  () => false,
);

for (const [name, files] of CRATES) {
  Deno.test({
    name: `cargo agrees on the binaries of ${name} (cargo 1.71)`,
    ignore: !CARGO_TELLS,
    fn: async () => {
      using project = made(files);
      const metadata: Metadata = JSON.parse(
        await output(project.path, "cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"),
      );
      const expected = metadata.packages.flatMap(({ id, name, targets }) =>
        targets.filter(({ kind }) => kind.includes("bin")).map((bin) =>
          `${name}/${bin.name} ${metadata.workspace_default_members.includes(id)}`
        )
      );
      const [found] = await findProcesses(diskFolder(project.path));
      const packages = new Map(metadata.packages.map((each) => [each.name, each]));
      const owner = (bin: string) =>
        [...packages.values()].find(({ targets }) =>
          targets.some((each) => each.name === bin && each.kind.includes("bin"))
        )!.name;
      deepStrictEqual(
        found!.processes.map(({ name, keys }) =>
          `${keys.package ?? owner(keys.bin ?? name)}/${keys.bin ?? name} ${keys.autostart !== false}`
        ).sort(),
        expected.sort(),
      );
    },
  });
}

Deno.test({
  name: "npm agrees on the members of workspaces, and runs the scripts that are found",
  ignore: !await has("npm"),
  fn: async () => {
    const member = (name: string) =>
      JSON.stringify({ name, version: "1.0.0", scripts: { dev: `echo this is ${name}` } });
    using project = made({
      "package.json": JSON.stringify({
        name: "root",
        workspaces: ["packages/*", "apps/**", "!apps/old", "single"],
      }),
      "packages/a/package.json": member("a"),
      "packages/b/package.json": member("@scope/b"),
      "packages/none/readme.txt": "",
      "apps/web/package.json": member("web"),
      "apps/deep/er/package.json": member("deep"),
      "apps/old/package.json": member("old"),
      "single/package.json": member("single"),
    });
    await output(project.path, "npm", "install", "--offline", "--no-audit", "--no-fund");
    const members: { location: string }[] = JSON.parse(
      await output(project.path, "npm", "query", ".workspace"),
    );
    const [found] = await findProcesses(diskFolder(project.path));
    deepStrictEqual(
      found!.processes.map(({ keys }) => keys.cwd).sort(),
      members.map(({ location }) => location).sort(),
    );
    for (const { keys } of found!.processes) {
      const [program, ...args] = keys.command!;
      const said = await output(`${project.path}/${keys.cwd}`, program!, ...args);
      strictEqual(/^this is (\S+)$/m.test(said), true, said);
    }
  },
});
