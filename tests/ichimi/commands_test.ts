/** The command line beside assistants: processes are run, listed, followed and taken over from others. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { more } from "../more.ts";
import { Home } from "./_front.ts";

Deno.test("processes are run, listed, looked at, followed and removed", async (test) => {
  await using home = new Home();
  const text = async (...words: string[]) => {
    const { code, out, err } = await home.run(...words);
    strictEqual(code, 0, err);
    return out;
  };

  await test.step("run: with this folder and environment, and it outlives the command", async () => {
    match(
      await text(
        "run",
        "--id",
        "web",
        "--",
        "sh",
        "-c",
        "pwd; n=0; while sleep 0.02; do echo $((n=n+1)); done",
      ),
      /^Process 'web' started with PID \d+\n$/,
    );
    match(
      await text("run", "--json", "--", "sleep", "100"),
      /^\{\n {2}"id": "sleep",\n {2}"pid": \d+\n\}\n$/,
    );
    const twice = await home.run("run", "--", "sleep", "1");
    strictEqual(twice.code, 1);
    match(
      twice.err,
      /^ichimi-server: Cannot run 'sleep': it runs already \(PID \d+\); stop it with "ichimi-server /,
    );
    const [bad, good] = [["--id", "once", "--", "nosuchprogram"], ["--id", "once", "--", "true"]];
    match((await home.run("run", ...bad)).err, /^ichimi-server: Failed to start process: .*nosuchprogram/);
    match((await home.run("status", "once")).err, /Process 'once' not found/);
    // What has ended is described anew.
    for (let round = 0; round < 2; round++) match(await text("run", ...good), /^Process 'once' started/);
    await text("remove", "once");
    const nothing = await home.run("run", "--id", "x");
    strictEqual(nothing.code, 2);
    match(nothing.err, /^ichimi-server: say what to run/);
  });

  await test.step("list: a table, ids for completion, states, patterns, data", async () => {
    const table = await text("list");
    match(table, /^ID +STATE +PID +LIFETIME +PROJECT +COMMAND\n/);
    match(table, /^sleep +running +\d+ +persistent +\/.*project +sleep 100$/m);
    strictEqual(await text("list", "--ids"), "web\nsleep\n");
    strictEqual(await text("list", "--ids", "s*p"), "sleep\n");
    strictEqual(await text("list", "--ids", "--state", "Stopped"), "");
    deepStrictEqual(JSON.parse(await text("list", "--json")).map(({ id }: { id: string }) => id), [
      "web",
      "sleep",
    ]);
    await text("run", "--id", "\u202eturned", "--", "true");
    match(await text("list"), /^\ufffdturned /m);
    await text("remove", "\u202eturned");
  });

  await test.step("logs: the last lines, and each that comes once", async () => {
    const [first] = (await text("logs", "web", "-n", "100000")).split("\n");
    strictEqual(first, `${home.folder}/project`);
    const [program, ...args] = toolCommand("ichimi-server");
    const child = new Deno.Command(program, {
      args: [...args, "logs", "-f", "web", "-n", "3"],
      env: home.env,
      clearEnv: true,
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (said.split("\n").length < 40) said += await more(reader);
    child.kill("SIGTERM");
    await reader.cancel();
    strictEqual((await child.status).success, true);
    const numbers = said.split("\n").slice(0, -1).map(Number);
    deepStrictEqual(numbers, numbers.map((_, at) => numbers[0]! + at));
  });

  await test.step("logs -f: what is said several times in a row is shown as often", async () => {
    const script =
      "echo ready; until [ -e go ]; do sleep 0.01; done; echo same; echo same; echo same; echo end";
    await text("run", "--id", "same", "--", "sh", "-c", `${script}; exec sleep 100`);
    const [program, ...args] = toolCommand("ichimi-server");
    const child = new Deno.Command(program, {
      args: [...args, "logs", "-f", "same"],
      env: home.env,
      clearEnv: true,
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!said.includes("ready")) said += await more(reader);
    Deno.writeTextFileSync(`${home.folder}/project/go`, "");
    while (!said.includes("end")) said += await more(reader);
    child.kill("SIGTERM");
    await reader.cancel();
    strictEqual((await child.status).success, true);
    strictEqual(said, "ready\nsame\nsame\nsame\nend\n");
    await text("remove", "same");
    match((await home.run("logs", "web", "--stream", "out")).err, /"out", expected one of/);
  });

  await test.step("status, stop, start, explain, restart and remove", async () => {
    strictEqual(JSON.parse(await text("status", "sleep")).info.id, "sleep");
    strictEqual(await text("stop", "sleep"), "Process 'sleep' stopped successfully\n");
    match(await text("explain", "sleep"), /sleep/);
    match(await text("start", "sleep"), /^Process 'sleep' started with PID \d+\n$/);
    const restarted = async (id: string, ...words: string[]) =>
      /^Process '(.*)' restarted with PID (\d+)\n$/.exec(await text("restart", id, ...words))!.slice(1);
    const [, first] = await restarted("sleep");
    const [id, second] = await restarted("sleep", "--grace", "0s");
    deepStrictEqual([id, first === second], ["sleep", false]);
    await text("stop", "sleep");
    deepStrictEqual(JSON.parse(await text("restart", "--json", "sleep")).id, "sleep");
    match((await home.run("restart", "nobody")).err, /^ichimi-server: Process 'nobody' not found\n$/);
    for (const id of ["sleep", "web"]) {
      strictEqual(await text("remove", id), `Process '${id}' removed successfully\n`);
    }
    const gone = await home.run("status", "web");
    deepStrictEqual([gone.code, gone.err], [1, "ichimi-server: Process 'web' not found\n"]);
  });
});

const YAML = `version: '1.0'
timestamp: 2025-10-01T12:00:00Z
metadata: { ichimi_version: 0.2.1, total_processes: 2, auto_start_processes: 0 }
processes:
- { id: web, name: web, command: npm, args: [run, dev], env: {}, cwd: null, auto_start_on_restore: false, state: { status: not_started }, tags: [] }
- { id: db, name: db, command: postgres, args: [], env: {}, cwd: null, auto_start_on_restore: false, state: { status: not_started }, tags: [] }
`;

Deno.test("what ichimi and vantage have kept is taken over, and stays as it was", async () => {
  await using home = new Home();
  const write = (path: string, content: string, changedSeconds: number) => {
    const full = `${home.folder}/${path}`;
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(full, content);
    Deno.utimeSync(full, changedSeconds, changedSeconds);
    return full;
  };
  const old = write(
    "project/.ichimi/processes.kdl",
    'process "web" command="old"\nprocess "api" command="cargo"\n',
    1_000,
  );
  const newer = write(".vantage/snapshot.yaml", YAML, 2_000);
  const broken = write(".vantage/exports/broken.json", "{", 3_000);
  write(".vantage/data/store.db", "binary", 3_000);
  const dry = await home.run("migrate", "--dry-run");
  strictEqual(dry.code, 1);
  strictEqual(
    dry.out.replace(/not JSON: .*/, "not JSON"),
    `${old}: 2 processes\n${newer}: 2 processes\n${broken}: not JSON\n` +
      "3 processes would be taken over.\n",
  );
  strictEqual(home.pid, 0);
  const { out } = await home.run("migrate");
  match(out, /\n3 new: web, api, db\n$/);
  const list = JSON.parse((await home.run("list", "--json")).out);
  deepStrictEqual(list.map(({ id, command, args }: Record<string, unknown>) => [id, command, args]), [
    ["web", "npm", ["run", "dev"]],
    ["api", "cargo", []],
    ["db", "postgres", []],
  ]);
  const again = JSON.parse((await home.run("migrate", "--json", newer)).out);
  deepStrictEqual(again.taken, {
    created: [],
    changed: ["web", "db"],
    skipped: [],
    started: [],
    not_started: [],
  });
  deepStrictEqual([Deno.readTextFileSync(newer), Deno.readTextFileSync(broken)], [YAML, "{"]);
  const [nowhere, database] = [`${home.folder}/nowhere`, `${home.folder}/.vantage/data/store.db`];
  const none = await home.run("migrate", nowhere, database);
  deepStrictEqual([none.code, none.out], [
    1,
    `${nowhere}: there is no such file or folder\n` +
    `${database}: its name ends in none of .yaml, .yml, .kdl and .json\nThere is nothing to take over.\n`,
  ]);
  match((await home.run("migrate", "-n", old, nowhere)).out, /\n2 processes would be taken over\.\n$/);
});

Deno.test("help and completion know the commands, and unknown words are told", async () => {
  await using home = new Home();
  const { out } = await home.run("--help");
  for (const name of ["list", "run", "restart", "logs", "console", "proxy", "migrate", "daemon"]) {
    ok(new RegExp(`^ {2}${name} `, "m").test(out), name);
  }
  match(
    (await home.run("mcp", "--help")).out,
    /tells$\n +ichimi-server mcp install --url \S+ --token TOKEN$/m,
  );
  const wrong = await home.run("lst");
  strictEqual(wrong.code, 2);
  match(wrong.err, /lst/);
  strictEqual(home.pid, 0);
});

Deno.test("who works at a terminal is asked for what is not on the list", async () => {
  await using home = new Home();
  const project = `${home.folder}/project`;
  home.configure(`[allow.p]\nfolder = "${project}"\n`);
  const refused = await home.run("run", "--", "true");
  strictEqual(refused.code, 1);
  match(
    refused.err,
    /may not be started: 'true' is not among .*; a person can allow it, with "ichimi-server run" on a terminal/,
  );
  match((await home.run("run", "--allow", "--", "true")).out, /^Process 'true' started/);
  for (const again of ["start", "restart"]) {
    match((await home.run(again, "true")).err, /may not be started/);
  }
  match((await home.run("restart", "--allow", "true")).out, /^Process 'true' restarted/);
  const [program, ...args] = toolCommand("ichimi-server");
  const atTerminal = async (answer: string) => {
    const line = [program, ...args, "start", "true"].map((word) => `'${word}'`).join(" ");
    const child = new Deno.Command("script", {
      args: ["-qec", line, "/dev/null"],
      cwd: project,
      env: home.env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("no: No?")) text += await more(reader);
    await writer.write(new TextEncoder().encode(`${answer}\n`));
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    await writer.close();
    return { text, code: (await child.status).code };
  };
  const declined = await atTerminal("n");
  strictEqual(declined.code, 1);
  match(declined.text, /wants to run in .*project: true/);
  const allowed = await atTerminal("always");
  strictEqual(allowed.code, 0, allowed.text);
  match((await home.run("start", "true")).out, /^Process 'true' started/);

  strictEqual(
    (await home.run("allowed")).out.replaceAll(project, "P").replaceAll(/ +/g, " "),
    "FOLDER ALLOWED COMMAND\nP for good true\nP on request (all others)\n",
  );
  strictEqual(
    (await home.run("allowed", "remove", project, "true")).out,
    `'true' is asked for again in ${project}\n`,
  );
  match((await home.run("start", "true")).err, /may not be started/);
  deepStrictEqual(JSON.parse((await home.run("allowed", "--json")).out), {
    rules: [{ folder: project, commands: [], unlisted: "ask" }],
    learned: [],
  });
  const twice = await home.run("allowed", "remove", project, "true");
  deepStrictEqual([twice.code, twice.err], [
    1,
    `ichimi-server: Nobody has allowed 'true' for good in ${project}\n`,
  ]);
});
