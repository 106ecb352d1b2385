import { deepStrictEqual, doesNotMatch, match, ok, strictEqual, throws } from "node:assert/strict";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { TOOLS } from "../../cmd/hostkit/tools.ts";
import { bundleProgram, keepUsing, rewriteBundle } from "../../lib/build/bundle.ts";
import { packagesOf } from "../../lib/build/licenses.ts";
import { importLate, pack } from "../../lib/build/pack.ts";
import { layOut } from "../../lib/build/pack_file.ts";
import { ASSETS, ROOT } from "../../lib/build/paths.ts";
import { toolNames, toolPermissions } from "../../lib/build/tools.ts";
import { openRecording } from "../../lib/recording/mod.ts";
import { onBrowser } from "../ichimi/_console.ts";
import { Home } from "../ichimi/_front.ts";
import { browser } from "../viewer/browser.ts";
import { runProgram, temporaryFolder } from "./packed.ts";

const COMMIT = "0123456789ab";

Deno.test("the list of tools holds every folder of cmd with a tool.json", () => {
  deepStrictEqual(Object.keys(TOOLS).sort(), toolNames());
});

Deno.test("the packed file", async (t) => {
  using folder = temporaryFolder();
  const answers = await packedAnswers(COMMIT);
  await pack(folder.path, { answers, commit: COMMIT, say: () => {} });
  const hostkit = `${folder.path}/hostkit`;
  const env = { HOSTKIT_CACHE_DIR: `${folder.path}/cache`, PATH: "/usr/bin:/bin" };
  const fromSource = async (words: readonly string[]) => {
    const [program, ...args] = toolCommand("rezolus");
    return await runProgram(program, [...args, ...words], Deno.env.toObject());
  };

  await t.step("answers help and completion as the tool from source, and unpacks nothing", async () => {
    const helps = [[], ["agent"], ["record"], ["view"], ["status"], ["mark"], ["completion"], ["man"]];
    for (const words of [...helps.map((each) => [...each, "--help"]), ["completion", "bash"], ["man"]]) {
      const expected = await fromSource(words);
      deepStrictEqual(await runProgram(hostkit, ["rezolus", ...words], env), expected, words.join(" "));
      deepStrictEqual(await runProgram(`${folder.path}/rezolus`, words, env), expected);
    }
    strictEqual([...Deno.readDirSync(folder.path)].some(({ name }) => name === "cache"), false);
  });

  await t.step("tells version, commit and formats, and the licences of what is inside", async () => {
    const { out } = await runProgram(hostkit, ["rezolus", "--version"], env);
    const source = await fromSource(["--version"]);
    strictEqual(out, source.out.replace("unknown (from source)", COMMIT));
    const notices = (await runProgram(hostkit, ["--licenses"], env)).out;
    for (const part of ["Deno", "libbpf", "libelf", "zlib", "hono 4", "smol-toml", "preact", "chart.js"]) {
      ok(notices.includes(part), `no notice of ${part}`);
    }
    match(notices, /Permission is hereby granted, free of charge/);
  });

  await t.step("reads YAML with a package that is no ES module", async () => {
    Deno.mkdirSync(`${folder.path}/project`);
    Deno.writeTextFileSync(`${folder.path}/project/compose.yaml`, "services: { db: { image: postgres } }\n");
    const { code, out } = await runProgram(`${folder.path}/bpm`, [
      "init",
      "--print",
      `${folder.path}/project`,
    ], env);
    strictEqual(code, 0);
    match(out, /^\[process\.db\]$/m);
  });

  await t.step("has a checksum that sha256sum agrees with", async () => {
    const check = new Deno.Command("sha256sum", { args: ["--check", "SHA256SUMS"], cwd: folder.path });
    const { code, stdout } = await check.output();
    deepStrictEqual([code, new TextDecoder().decode(stdout)], [0, "LICENSES: OK\nhostkit: OK\n"]);
  });

  await t.step("gives a tool exactly its own permissions, and its errors and exit codes", async () => {
    const missing = `${folder.path}/missing.sock`;
    const { code, out, err } = await runProgram(hostkit, ["rezolus", "status", missing], env);
    deepStrictEqual([code, out], [1, ""]);
    match(err, /^rezolus: .*missing\.sock/);
    const usage = await runProgram(hostkit, ["rezolus", "agnt"], env);
    deepStrictEqual([usage.code, usage.err.split("\n")[0]], [
      2,
      'rezolus: unknown command "agnt"; did you mean "agent"?',
    ]);
    const text = new TextDecoder().decode(await Deno.readFile(hostkit));
    const record = text.slice(text.lastIndexOf("tool\0rezolus\0")).split("\0\0")[0]!.split("\0");
    deepStrictEqual(record.filter((word) => word.startsWith("--allow")), toolPermissions("rezolus"));
    ok(record.includes("--no-prompt") && !record.includes("-A"));
  });

  await t.step("loads the code of a tool that reads no files", async () => {
    const { code, out, err } = await runProgram(`${folder.path}/bpm-tui`, [], env);
    deepStrictEqual([code, out], [1, ""]);
    match(err, /^bpm-tui: Cannot draw: standard input and output have to be a terminal/);
    const text = new TextDecoder().decode(await Deno.readFile(hostkit));
    const record = text.slice(text.lastIndexOf("tool\0bpm-tui\0")).split("\0\0")[0]!.split("\0");
    deepStrictEqual(record.filter((word) => word.startsWith("--allow")), [
      ...toolPermissions("bpm-tui"),
      "--allow-read={entry}",
    ]);
  });

  await t.step("records with its own worker, and children get the caller's environment", async () => {
    const socket = `${folder.path}/agent.sock`;
    const agent = new Deno.Command(hostkit, {
      args: ["rezolus", "agent", "--listen", "", "--socket", socket],
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    try {
      let log = "";
      for await (const chunk of agent.stderr.pipeThrough(new TextDecoderStream())) {
        if ((log += chunk).includes("listening")) break;
      }
      ok(log.includes("listening"), log);
      const file = `${folder.path}/out.rez`;
      const words = ["rezolus", "record", "-i", "100ms", "-o", file, "--url", socket, "--"];
      const shown = [
        "sh",
        "-c",
        "echo ${DENO_DIR-unset} ${DENO_NO_UPDATE_CHECK-unset} ${HOSTKIT_CALLER_ENV-unset}; sleep 0.5",
      ];
      const { code, out, err } = await runProgram(hostkit, [...words, ...shown], env);
      deepStrictEqual([code, out], [0, "unset unset unset\n"], err);
      doesNotMatch(err, /worker has failed/);
      using recording = openRecording(file);
      ok(recording.complete);
    } finally {
      agent.kill("SIGTERM");
      await agent.status;
    }
  });

  await t.step({
    name: "has the console's page, which draws processes and searches their logs (needs chromium)",
    ...browser,
    fn: async () => {
      await using home = new Home();
      const { HOME, XDG_STATE_HOME, XDG_CONFIG_HOME } = home.env;
      const { code, out, err } = await runProgram(`${folder.path}/ichimi-server`, ["console", "--json"], {
        ...env,
        HOME,
        XDG_STATE_HOME,
        XDG_CONFIG_HOME,
      });
      strictEqual(code, 0, err);
      const { url, token } = JSON.parse(out);
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      for (const name of ["ichimi.js", "ichimi.css"]) {
        const served = await fetch(`${url}/${name}`, { headers });
        deepStrictEqual(
          [served.status, await served.text()],
          [200, await Deno.readTextFile(`${ASSETS}web/${name}`)],
        );
      }
      const shell = { id: "web", command: "sh", args: ["-c", "echo it runs; exec sleep 100"] };
      const body = JSON.stringify({ ...shell, auto_start_on_create: true });
      const made = await fetch(`${url}/api/processes`, { method: "POST", headers, body });
      strictEqual(made.status, 201, await made.text());
      try {
        await onBrowser(async (page) => {
          await page.goto(`${url}/?token=${token}`);
          await page.getByRole("heading", { name: "Busiest processes" }).waitFor();
          await page.locator("#app").getByRole("link", { name: "web", exact: true }).first().click();
          await page.locator(".line", { hasText: "it runs" }).waitFor();
          await page.getByLabel("Search the log").fill("RUNS");
          await page.locator(".found [role=status]", { hasText: "0 / 1 in 1 line" }).waitFor();
        });
      } finally {
        // It would outlive its daemon.
        strictEqual((await fetch(`${url}/api/processes/web`, { method: "DELETE", headers })).status, 204);
      }
    },
  });
});

Deno.test("rewriteBundle(): workers stand beside the code under their new names, and the commit is in it", () => {
  const bundled = 'new URL("./_x_worker.ts",import.meta.url);b="HOSTKIT_COMMIT"';
  strictEqual(rewriteBundle(bundled, "abc"), 'new URL("./_x_worker.js",import.meta.url);b="abc"');
});

Deno.test("what is disposed of at the end of its block is so in a bundle too", async () => {
  using folder = temporaryFolder();
  const entry = `${folder.path}/entry.ts`;
  await Deno.writeTextFile(
    entry,
    [
      "const open = (name: string) => ({",
      "  name: () => name,",
      "  [Symbol.dispose]: () => console.log(`close ${name}`),",
      "});",
      "function once(): string { using file = open('a'); return file.name(); }",
      "async function late(): Promise<string> { await using file = open('b'); return await file.name(); }",
      "function twice(): string { using first = open('c'); using second = open(first.name() + 'd'); return second.name(); }",
      "export async function main(): Promise<number> {",
      "  console.log(once(), await late(), twice());",
      "  return 0;",
      "}",
    ].join("\n"),
  );
  const files = await bundleProgram(entry, { name: "entry", commit: "abc" });
  for (const [name, text] of files) await Deno.writeTextFile(`${folder.path}/${name}`, text);
  const { out } = await runProgram(Deno.execPath(), ["run", "--no-config", `${folder.path}/entry.js`]);
  strictEqual(out, "close a\nclose b\nclose cd\nclose c\na b cd\n");
});

Deno.test("keepUsing(): a declaration of several lines too; what it cannot read it refuses", () => {
  const long = "  using reader = Reader.open(folder, {\n    from: 1;\n  });\n  return reader.status();";
  strictEqual(keepUsing(long), long.replace("});", "}), $disposed0 = null;"));
  strictEqual(keepUsing("for (using a of b) c(a);"), "for (using a of b) c(a);");
  throws(
    () => keepUsing("using a = {\n  b\n}"),
    /^Error: Cannot bundle: the end of "using a = \{" is not found/,
  );
});

Deno.test("importLate(): a command's code is loaded by it alone, and by the same name", async () => {
  const late = importLate('import"./a.js";await import("./mod-X.js");f("./b.js")');
  strictEqual(late, 'import"./a.js";await import((0,"./mod-X.js"));f("./b.js")');

  using folder = temporaryFolder();
  await Deno.writeTextFile(
    `${folder.path}/start.js`,
    importLate('if(Deno.args[0])await import("./late.js");'),
  );
  await Deno.writeTextFile(`${folder.path}/late.js`, "this is no program");
  const args = ["run", "--no-config", "--allow-read", `${folder.path}/start.js`];
  strictEqual((await runProgram(Deno.execPath(), args)).code, 0);
  match((await runProgram(Deno.execPath(), [...args, "load"])).err, /late\.js/);
});

Deno.test("packagesOf(): the packages of the modules with those they depend on, and no others", () => {
  const npm = (name: string, dependencies: string[]) => ({
    name,
    version: "1",
    dependencies,
    localPath: `/${name}`,
  });
  const npmPackages = { a: npm("a", ["b"]), b: npm("b", ["a"]), c: npm("c", []) };
  const found = packagesOf({ modules: [{ npmPackage: "a" }, {}], npmPackages });
  deepStrictEqual(found.map(({ name }) => name), ["a", "b"]);
});

Deno.test("layOut(): a record that the launcher could not read is refused", () => {
  const key = "0".repeat(32);
  throws(() => layOut(new Uint8Array(), [{ kind: "tool", name: "", args: [] }], key), /record of 2 fields/);
  throws(() => layOut(new Uint8Array(), [{ kind: "tool", name: "a\0b", args: [] }], key), RangeError);
  throws(
    () => layOut(new Uint8Array(), [{ kind: "tool", name: "a", args: Array(63).fill("x") }], key),
    RangeError,
  );
  throws(() => layOut(new Uint8Array(), [], "short"), /key "short"/);
});

Deno.test("the entry from source runs a tool as the tool's own entry does", async () => {
  const args = ["run", "--quiet", ...toolPermissions("rezolus"), `${ROOT}cmd/hostkit/main.ts`];
  const env = { DENO_NO_UPDATE_CHECK: "1", HOME: Deno.env.get("HOME") ?? "/", PATH: "/usr/bin:/bin" };
  const tool = await runProgram(Deno.execPath(), [...args, "rezolus", "status", "--help"], env);
  match(tool.out, /^rezolus status: /);
  const unknown = await runProgram(Deno.execPath(), [...args, "nothing"], env);
  deepStrictEqual([unknown.code, unknown.err.split("\n")[0]], [2, 'hostkit: unknown command "nothing"']);
});
