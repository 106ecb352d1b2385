/** `bpm init`: what a project has already, as `.mcp-run`. */
import { deepStrictEqual, doesNotThrow, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { diskFolder, findProcesses, merge, type ProjectFolder, writeConfig } from "../../lib/bpm/init/mod.ts";
import { commandOf, shellLine } from "../../lib/bpm/init/shell.ts";
import { forExpand, hasVariables, interpolate } from "../../lib/bpm/init/variables.ts";
import { joinPath, matchFolders } from "../../lib/bpm/init/found.ts";
import { processName } from "../../lib/bpm/init/merge.ts";
import { loadBpmConfig } from "../../lib/bpm/mod.ts";
import { expandTexts } from "../../lib/bpm/expand.ts";

const CASES = new URL("testdata/init/", import.meta.url).pathname;

/** A folder that is only thought of. */
function folderWith(files: Readonly<Record<string, string>>): ProjectFolder {
  return {
    name: "project",
    read: (path) => files[path],
    list: (path) => {
      const prefix = path === "." ? "" : `${path}/`;
      const below = Object.keys(files).filter((each) => each.startsWith(prefix)).map((each) =>
        each.slice(prefix.length)
      );
      return [...new Set(below.map((each) => each.replace(/\/.*/, "/")))].sort();
    },
  };
}

async function written(folder: ProjectFolder, files: readonly string[] = []): Promise<string> {
  return writeConfig(merge(await findProcesses(folder, files)), { port: 3001 });
}

function processesOf(text: string) {
  const file = Deno.makeTempFileSync({ prefix: "bpm-init-" });
  Deno.writeTextFileSync(file, text);
  const { config, warnings } = loadBpmConfig(file);
  Deno.removeSync(file);
  deepStrictEqual(warnings, []);
  return config.process;
}

// `UPDATE=1 deno test …` writes what is made, to be looked at before it is committed.
for (const { name } of [...Deno.readDirSync(CASES)].sort((a, b) => a.name.localeCompare(b.name))) {
  Deno.test(`${name}: what init writes is tests/bpm/testdata/init/${name}/expected.mcp-run, and loads`, async () => {
    const text = await written(diskFolder(`${CASES}${name}`));
    const expected = `${CASES}${name}/expected.mcp-run`;
    if (Deno.env.has("UPDATE")) Deno.writeTextFileSync(expected, text);
    strictEqual(text, Deno.readTextFileSync(expected));
    deepStrictEqual(loadBpmConfig(expected).warnings, []);
    ok(text.split("\n").every((line) => line.length <= 100), "no line is too long");
  });
}

Deno.test("a line that needs no shell is its words, and every other one is the shell's", () => {
  const cases: [string, string[]][] = [
    ["npm run dev", ["npm", "run", "dev"]],
    [" serve --dir 'my files' \"and more\" ", ["serve", "--dir", "my files", "and more"]],
    ["a && b", ["sh", "-c", "a && b"]],
    ["PORT=1 serve", ["sh", "-c", "PORT=1 serve"]],
    ["exec serve", ["sh", "-c", "exec serve"]],
    ["serve $PORT", ["sh", "-c", "serve $PORT"]],
    ["serve *.js", ["sh", "-c", "serve *.js"]],
    ["serve # this", ["sh", "-c", "serve # this"]],
    ["serve 'a'b", ["sh", "-c", "serve 'a'b"]],
    ["~/bin/serve", ["sh", "-c", "~/bin/serve"]],
    ["one\ntwo\n", ["sh", "-c", "one\ntwo\n"]],
  ];
  for (const [line, words] of cases) deepStrictEqual(commandOf(line), words, line);
  deepStrictEqual(commandOf("a | b", ["bash", "-euc"]), ["bash", "-euc", "a | b"]);
  strictEqual(shellLine(["echo", "it's", "a=1"]), "echo 'it'\\''s' a=1");
});

Deno.test("the words of a line are those that a shell makes of it", async () => {
  const lines = [
    "printf %s\\n a 'b c' \"d e\" f=g ./h,i:j@k%l+m^n",
    "printf '%s\\n' 'it is' \"x;y\" z",
    "printf %s\\n ''",
  ];
  for (const line of lines) {
    const output = async ([program, ...args]: string[]) =>
      new TextDecoder().decode((await new Deno.Command(program!, { args }).output()).stdout);
    strictEqual(await output(commandOf(line)), await output(["sh", "-c", line]), line);
  }
});

Deno.test("variables of compose files are replaced as docker compose does", () => {
  const env = { A: "1", EMPTY: "" };
  const cases: [string, string, string[]][] = [
    ["$A ${A} $$A", "1 1 $A", []],
    ["${NO:-x} ${EMPTY:-y} ${EMPTY-z} ${NO-w}", "x y  w", []],
    ["${A:+set}${NO:+set}", "set", []],
    ["$NO:${ALSO:?must be}", ":", ["NO", "ALSO"]],
  ];
  for (const [text, expected, missing] of cases) {
    deepStrictEqual(interpolate(text, env), { text: expected, missing });
  }
  ok(hasVariables("a$B") && !hasVariables("5$$") && !hasVariables("$5"));
});

Deno.test("a text that is made for expand means there what it meant before", () => {
  const env = { A: "1", EMPTY: "" };
  for (const text of ["$A/${A}", "5$$", "${NO:-x}", "$NO", "${EMPTY:-y}", "plain"]) {
    strictEqual(expandTexts(forExpand(text), env), interpolate(text, env).text, text);
  }
});

Deno.test("members are found by pattern, within reason", () => {
  const folder = folderWith({ "crates/a/x": "", "crates/b/c/x": "", "node_modules/d/x": "", "e/x": "" });
  deepStrictEqual(matchFolders(folder, "crates/*"), ["crates/a", "crates/b"]);
  deepStrictEqual(matchFolders(folder, "./e"), ["e"]);
  deepStrictEqual(matchFolders(folder, "**"), [".", "crates", "crates/a", "crates/b", "crates/b/c", "e"]);
  strictEqual(joinPath("a/b", "../c/./d"), "a/c/d");
  strictEqual(joinPath("a", "/b"), "/b");
});

Deno.test("names become such as .mcp-run allows, and stay apart", async () => {
  strictEqual(processName("@scope/a b!"), "scope-a-b");
  strictEqual(processName("???"), "process");
  strictEqual(processName("x".repeat(100)).length, 64);
  const text = await written(folderWith({
    "Procfile": "web: a\nweb: b\nweb: c\n",
    "compose.yaml":
      "services: { web: { image: x, depends_on: [web_2] }, 'web 2': { image: x }, web_2: { image: y } }",
  }));
  const processes = processesOf(text);
  deepStrictEqual(Object.keys(processes), [
    "web",
    "web-procfile",
    "web-2",
    "compose-create",
    "web-compose",
    "web-2-compose",
    "web_2",
  ]);
  deepStrictEqual(processes["web-compose"]!.depends_on, { web_2: "started" });
});

Deno.test("what cannot be read is told by file and line, and nothing is guessed", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ "compose.yaml": "services:\n  a: [" }, /^SyntaxError: Cannot read compose.yaml:2:\d+: /],
    [{ "compose.yaml": "a: *b" }, /^SyntaxError: Cannot read compose.yaml/],
    [{ "package.json": "{" }, /^SyntaxError: Cannot read package.json: /],
    [{ "package.json": "[]" }, /^SyntaxError: Cannot read package.json: it is no object/],
    [{ "Cargo.toml": "[package" }, /^SyntaxError: Cannot read Cargo.toml: Invalid TOML document/],
    [
      { "Procfile": "web: a", ".env": "no line" },
      /^SyntaxError: Cannot read environment .env:1: expected NAME=value/,
    ],
  ];
  for (const [files, expected] of cases) {
    await rejects(written(folderWith(files)), (error) => expected.test(String(error)));
  }
  await rejects(written(folderWith({}), ["notes.txt"]), /^Error: Cannot read notes.txt: its name is none of/);
  await rejects(
    written(folderWith({}), ["a/Procfile"]),
    /^Error: Cannot read a\/Procfile: there is no such file/,
  );
});

Deno.test("processes that wait for each other, or for one that is off, are told", () => {
  const process = (name: string, other: string, off = false) => ({
    name,
    about: "",
    keys: { command: ["x"], depends_on: { [other]: "started" }, ...(off ? { autostart: false } : {}) },
    notes: [],
  });
  const found = {
    file: "f",
    kind: "k",
    processes: [process("a", "b"), process("b", "a"), process("c", "d"), process("d", "c", true)],
    notes: [],
  };
  deepStrictEqual(merge([found]).notes, [
    '"c" waits until "d" is started, which does not start by itself',
    "bpm will not start them. Cannot order services: they depend on each other: a -> b -> a",
  ]);
});

Deno.test("docker's own rules for .env are docker's: what cannot be read of it is told", async () => {
  const text = await written(folderWith({
    "compose.yaml": 'services: { web: { image: x, ports: ["${PORT:-8080}:80"] } }',
    ".env": "PORT=9\nNOT SET\n",
  }));
  match(
    text,
    /# - compose\.yaml: Cannot read environment \.env:2: expected NAME=value: its variables are taken/,
  );
  strictEqual(processesOf(text).web!.url, "http://127.0.0.1:8080");
});

Deno.test("a file in a folder below, and a compose.yaml that is process-compose's, are read as what they are", async () => {
  const folder = folderWith({
    "ops/dev.yaml": "services: { db: { image: x, healthcheck: { test: ok } } }",
    "back/Procfile": "api: ./api",
    "back/.env": "A=1",
    "compose.yaml": "processes: { a: { command: sleep 1 } }",
  });
  const processes = processesOf(await written(folder, ["ops/dev.yaml", "back/Procfile", "./compose.yaml"]));
  deepStrictEqual(processes.db!.command.slice(0, 4), ["docker", "compose", "-f", "dev.yaml"]);
  deepStrictEqual([processes.db!.cwd, processes.api!.cwd, processes.a!.cwd], ["ops", "back", undefined]);
  deepStrictEqual(processes.db!.ready.exec.slice(-3), ["sh", "-c", "ok"]);
  deepStrictEqual(processes.api!.env_file, ["back/.env"]);
  deepStrictEqual(processes.a!.command, ["sleep", "1"]);
});

const SEED = 20_261_121;
Deno.test(`whatever the files say, what is written loads, and no text gets lost (seed ${SEED})`, async () => {
  let state = SEED;
  const next = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
  const pieces = [
    "a",
    " ",
    "'",
    '"',
    "\\",
    "$",
    "{",
    "}",
    "\n",
    "\t",
    "#",
    "=",
    "[",
    "]",
    "é",
    "\u0001",
    "\u007f",
    "'''",
    "😀",
    "\\u",
  ];
  const chaos = () => Array.from({ length: next(12) }, () => pieces[next(pieces.length)]!).join("");
  const yaml = (value: unknown) => JSON.stringify(value);
  for (let round = 0; round < 500; round++) {
    const texts = [chaos(), chaos(), chaos(), chaos()];
    const [name, word, value, about] = texts as [string, string, string, string];
    const found = await findProcesses(folderWith({
      "process-compose.yaml": yaml({
        processes: {
          [name]: {
            entrypoint: ["run", word],
            environment: [`KEY=${value}`],
            description: about,
            readiness_probe: next(2) === 0
              ? { exec: { command: word } }
              : { http_get: { host: word, path: value, port: next(9) } },
            availability: next(2) === 0 ? value : { restart: value },
            ready_log_line: value,
            namespace: [word],
            schedule: next(2) === 0 ? { cron: value, interval: word } : { interval: `${next(3)}s` },
            watch: { paths: [value, { path: word, include: [value], exclude: [about] }] },
            depends_on: next(2) === 0 ? { [name]: null, x: value } : word,
            disable_env_expansion: true,
            [about]: value,
          },
        },
        disable_env_expansion: true,
      }),
      "compose.yaml": yaml({
        services: {
          [name]: next(2) === 0 ? value : { ports: [word, { published: value }], healthcheck: value },
        },
      }),
      "package.json": JSON.stringify({ name, scripts: { dev: word }, workspaces: [value] }),
      "Procfile": `${name}: ${word}\nok: ${value}`,
    }));
    const processes = processesOf(writeConfig(merge(found), { port: 1 }));
    const first = Object.values(processes)[0]!;
    deepStrictEqual(first.command, ["run", word]);
    strictEqual(first.env.KEY, value);
  }
});

const [PROGRAM, ...ARGS] = toolCommand("bpm");

async function init(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(PROGRAM, {
    args: [...ARGS, "init", ...words],
    stdin: "null",
  })
    .output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

Deno.test("bpm init writes once, prints on request, and never replaces what is there unasked", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "bpm-init-" });
  try {
    const path = `${folder}/.mcp-run`;
    const empty = await init(folder);
    strictEqual(empty.code, 1);
    match(empty.err, /^bpm: Cannot write \S+\/\.mcp-run: none of process-compose.yaml, .* is there$/m);
    Deno.writeTextFileSync(`${folder}/Procfile`, "web: sleep 1000\nnothing\n");
    const printed = await init(folder, "--print");
    match(printed.err, /^bpm: Procfile: line 2 is no "name: command" and is left out: nothing$/m);
    match(printed.out, /^\[process\.web\]\ncommand = \["sleep", "1000"\]$/m);
    throws(() => Deno.statSync(path), Deno.errors.NotFound);
    const { processes, warnings } = JSON.parse((await init(folder, "--json")).out);
    deepStrictEqual([processes[0].name, warnings.length], ["web", 1]);

    const first = await init(folder, "--port", "4321");
    deepStrictEqual([first.code, first.out], [0, ""]);
    match(first.err, /wrote \S+\.mcp-run with web; bpm up runs it$/m);
    strictEqual(loadBpmConfig(path).config.mcp_port, 4321);
    const again = await init(folder);
    strictEqual(again.code, 1);
    match(again.err, /it is there; --force replaces it/);
    strictEqual(loadBpmConfig(path).config.mcp_port, 4321);
    strictEqual((await init(folder, "--force", "--from", "Procfile")).code, 0);
    strictEqual(loadBpmConfig(path).config.mcp_port, 3001);
    deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [".mcp-run", "Procfile"]);
    doesNotThrow(() => processesOf(Deno.readTextFileSync(path)));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
