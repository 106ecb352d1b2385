/** Runs of CI, through a stub of gh. */
import { existsSync } from "node:fs";
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { ciResources } from "../../lib/ichimi/mod.ts";
import { type Assistant, World } from "./_world.ts";

/** A stub of gh, which notes how it was called and answers from files. */
async function withGh(
  world: World,
): Promise<{ readonly assistant: Assistant; answer(name: string, text: string): void }> {
  const folder = `${world.folder}/bin`;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(
    `${folder}/gh`,
    `#!/bin/sh
echo "$PWD $*" >> ${folder}/calls
case "$*" in
*--log-failed*) file=failed;; *--json*) file=$2;; *) file=details;;
esac
if [ -e ${folder}/$file.error ]; then cat ${folder}/$file.error >&2; exit 1; fi
cat ${folder}/$file
`,
    { mode: 0o755 },
  );
  const client = world.client(world.folder, {
    ...Deno.env.toObject(),
    PATH: `${folder}:${Deno.env.get("PATH")}`,
  });
  return {
    assistant: world.assistant(client),
    // Whole before it has its name: it is read meanwhile.
    answer(name, text) {
      Deno.writeTextFileSync(`${folder}/${name}.new`, text);
      Deno.renameSync(`${folder}/${name}.new`, `${folder}/${name}`);
    },
  };
}

function run(status: string, conclusion: string): Record<string, unknown> {
  return {
    databaseId: 7,
    displayTitle: "Fix it",
    workflowName: "CI",
    headBranch: "main",
    event: "push",
    status,
    conclusion,
    createdAt: "2026-01-02T03:04:05Z",
    updatedAt: "2026-01-02T03:06:10Z",
    url: "https://example.com/7",
  };
}

Deno.test("runs of CI are listed, looked at and waited for through gh (a stub)", async () => {
  await using world = new World();
  const { assistant, answer } = await withGh(world);
  answer("list", JSON.stringify([run("completed", "timed_out"), run("in_progress", "")]));
  const { runs, total_count: count } = JSON.parse(
    await assistant.call("list_ci_runs", { limit: 2, repo: "a/b" }),
  );
  strictEqual(count, 2);
  deepStrictEqual(runs[0], {
    id: 7,
    name: "Fix it",
    workflow_name: "CI",
    branch: "main",
    event: "push",
    status: "Completed",
    conclusion: "TimedOut",
    created_at: "2026-01-02T03:04:05Z",
    updated_at: "2026-01-02T03:06:10Z",
    duration: "2m 5s",
    url: "https://example.com/7",
  });
  deepStrictEqual([runs[1].status, runs[1].conclusion, runs[1].duration], ["InProgress", null, null]);
  match(
    Deno.readTextFileSync(`${world.folder}/bin/calls`),
    new RegExp(`^${world.folder} run list --limit 2 --json \\S+ --repo a/b\n$`),
  );
  answer("details", "all of it\n");
  strictEqual(await assistant.call("get_ci_run_details", { run_id: 7 }), "all of it\n");
  answer("failed", "x".repeat(150_000));
  match(
    await assistant.call("get_ci_failed_logs", { run_id: 7 }),
    /^… 50000 bytes before are left out\nx/,
  );
  answer("failed.error", "run 7 is still in progress; logs will be available when it is complete");
  match(await assistant.call("get_ci_failed_logs", { run_id: 7 }), /^CI run is still in progress\./);
  answer("view", JSON.stringify(run("completed", "success")));
  strictEqual(
    JSON.parse(await assistant.call("wait_for_ci_completion", { run_id: 7 })).conclusion,
    "Success",
  );
  answer("view", JSON.stringify(run("queued", "")));
  await rejects(assistant.call("wait_for_ci_completion", { run_id: 7, timeout_secs: 1 }), {
    message: "Timeout waiting for CI run 7 to complete",
  });
  answer("list.error", "gh: not logged in");
  await rejects(assistant.call("list_ci_runs"), { message: "gh command failed: gh: not logged in" });
});

Deno.test("who watches CI hears what has changed, and once why nothing is to be had (a stub)", async () => {
  await using world = new World();
  const { assistant, answer } = await withGh(world);
  answer("list", JSON.stringify([run("queued", "")]));
  const { text, structured } = await assistant.ask("start_ci_monitoring");
  strictEqual(text, "CI monitoring started with 30s polling interval");
  const { resource: uri } = structured as { readonly resource: string };
  const client = world.client();
  const env = { ...client.env, PATH: `${world.folder}/bin:${Deno.env.get("PATH")}` };
  // The tool's own pace is for people; the same watch at a test's, in its place.
  world.ci.watch({ folder: world.folder, env, repo: undefined }, 20);
  const resources = ciResources(world.ci, world.folder);
  let updates = 0;
  const stop = resources.watch!((change) =>
    updates += change.kind === "updated" && change.uri === uri ? 1 : 0
  );
  const looks = () => Deno.readTextFileSync(`${world.folder}/bin/calls`).split("\n").length - 1;
  const twoMore = () => {
    const before = looks();
    // The first of them may have begun before.
    return world.until("two looks", () => looks() >= before + 2);
  };
  await twoMore();
  answer("list", JSON.stringify([run("completed", "failure")]));
  await world.until("the change", () => world.told.length > 0);
  const change = "CI run 7, Fix it: Queued -> Completed (Failure)";
  deepStrictEqual(world.told, [change]);
  answer("list.error", "no network");
  await world.until("the trouble", () => world.told.length > 1);
  await twoMore();
  deepStrictEqual(world.told, [change, "gh command failed: no network"]);
  const [content] = await resources.read(uri, new AbortController().signal) ?? [];
  const { changes } = JSON.parse((content as { readonly text: string }).text);
  deepStrictEqual(changes.map((each: { readonly text: string }) => each.text), world.told);
  strictEqual(updates, 2);
  deepStrictEqual(world.ci.changes("/elsewhere"), []);
  stop();
});

Deno.test("CI is not looked at twice at a time, nor when nobody works in its folder any more (a stub)", async () => {
  await using world = new World();
  await withGh(world);
  const [held, calls] = [`${world.folder}/held`, `${world.folder}/bin/calls`];
  await new Deno.Command("mkfifo", { args: [held] }).output();
  await Deno.writeTextFile(
    `${world.folder}/bin/gh`,
    `#!/bin/sh\necho >> ${calls}\nread line < ${held}\necho "[]"\n`,
  );
  const env = { ...Deno.env.toObject(), PATH: `${world.folder}/bin:${Deno.env.get("PATH")}` };
  const looks = () => Deno.readTextFileSync(calls).length;
  const place = { folder: world.folder, env, repo: undefined };
  world.ci.watch(place, 1);
  for (const count of [1, 2, 3]) {
    await world.until("a look", () => existsSync(calls) && looks() === count);
    if (count === 3) world.isWanted = (folder) => folder !== world.folder;
    await Deno.writeTextFile(held, "go on\n");
  }
  // Its look comes where the first watch would have had its fourth.
  world.ci.watch({ ...place, folder: "/" }, 1);
  await world.until("the other's look", () => looks() === 4);
  const elsewhere = world.assistant(world.client(`${world.folder}/gone`));
  await rejects(
    elsewhere.call("list_ci_runs"),
    /^.*Failed to execute gh command: there is no folder .*gone$/,
  );
});

Deno.test("of a long log the end is told, and JSON is read whole or not at all (a stub)", async () => {
  await using world = new World();
  const { assistant, answer } = await withGh(world);
  answer("failed", `${"x".repeat(300_000)}end`);
  const log = await assistant.call("get_ci_failed_logs", { run_id: 7 });
  match(log, /^… 200003 bytes before are left out\nx{99997}end$/);
  answer("list", JSON.stringify([{ ...run("queued", ""), displayTitle: "y".repeat(300_000) }]));
  const { structured } = await assistant.ask("list_ci_runs");
  strictEqual(
    (structured as { readonly runs: readonly { readonly name: string }[] }).runs[0]!.name.length,
    300_000,
  );
  answer("list", `[${" ".repeat(5 << 20)}]`);
  await rejects(assistant.call("list_ci_runs"), /Failed to parse gh output: it has more than 4194304 bytes/);
});
