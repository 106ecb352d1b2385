/** Snapshots in the three formats that upstream has had: what goes in comes out, and files of upstream are read. */
import { deepStrictEqual, doesNotMatch, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { parse } from "yaml";
import {
  type Format,
  FORMATS,
  fromJson,
  fromKdl,
  fromYaml,
  type KeptProcess,
  type Snapshot,
  SnapshotError,
  toJson,
  toKdl,
  toYaml,
} from "../../lib/ichimi/mod.ts";
import { World } from "./_world.ts";

const READ: Readonly<Record<Format, (text: string) => Snapshot>> = {
  yaml: fromYaml,
  kdl: fromKdl,
  json: fromJson,
};
const WRITE: Readonly<Record<Format, (snapshot: Snapshot) => string>> = {
  yaml: (snapshot) => toYaml(snapshot, "1.2.3"),
  kdl: toKdl,
  json: toJson,
};

const PLAIN: KeptProcess = {
  id: "web",
  name: "web",
  command: "sh",
  args: ["-c", "echo hello", "-c"],
  env: { PORT: "3000" },
  cwd: "/srv/web",
  autoStartOnRestore: true,
  tags: ["front", "dev"],
  restart: "never",
  input: "none",
  state: { kind: "not_started" },
};

/** Texts that formats may take for something else. */
const HOSTILE = [
  ...[
    "",
    " ",
    "no",
    "1.0",
    "null",
    "~",
    "true",
    "0x10",
    "2020-01-01",
    "- a",
    "a: b",
    "#c",
    "*x",
    "&x",
    "!!str",
  ],
  ...[
    '"',
    "\\",
    "\\u{41}",
    "a\nb",
    "\r\n",
    "\t",
    "'",
    "{}",
    "[",
    "%",
    "@",
    "`",
    "日本語",
    "\u{1f600}",
    "\u2028",
  ],
  ...["\ufeff", "\u202e", "\x7f", "\x1b[31m", "\x00", "/* */", "//", "a=b", 'r#"x"#', "<<", "=", "__proto__"],
];

Deno.test("what is written in a format is read from it, whatever the texts are", () => {
  const hostile: KeptProcess = {
    ...PLAIN,
    id: '日本 "x" {',
    name: "true",
    command: "no",
    args: HOSTILE,
    env: Object.fromEntries(HOSTILE.filter((text) => text !== "__proto__").map((text) => [text, text])),
    tags: HOSTILE,
    cwd: null,
    autoStartOnRestore: false,
    restart: "on_failure",
    input: "terminal",
  };
  for (const format of FORMATS) {
    const text = WRITE[format]({ timestamp: "2026-01-02T03:04:05.000Z", processes: [PLAIN, hostile] });
    const { processes } = READ[format](text);
    deepStrictEqual(processes, [PLAIN, hostile], format);
  }
});

Deno.test("what runs, has ended or has failed stands in the files under upstream's names", () => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5);
  const states = [
    { kind: "running", pid: 12, startedMs: at },
    { kind: "stopped", exitCode: 3, stoppedMs: at },
    { kind: "failed", error: "gone", failedMs: at },
  ] as const;
  const processes = states.map((state, index) => ({ ...PLAIN, id: `p${index}`, state }));
  const snapshot = { timestamp: "2026-01-02T03:04:05.000Z", hostname: "box", processes };
  const time = "2026-01-02T03:04:05.000Z";
  const yaml = parse(toYaml(snapshot, "1.2.3"));
  deepStrictEqual(yaml.metadata, {
    ichimi_version: "1.2.3",
    total_processes: 3,
    auto_start_processes: 3,
    hostname: "box",
  });
  strictEqual(yaml.version, "1.0");
  deepStrictEqual(yaml.processes.map(({ state }: { state: unknown }) => state), [
    { status: "running", pid: 12, started_at: time },
    { status: "stopped", exit_code: 3, stopped_at: time },
    { status: "failed", error: "gone", failed_at: time },
  ]);
  deepStrictEqual(Object.keys(yaml.processes[0]), [
    "id",
    "name",
    "command",
    "args",
    "env",
    "cwd",
    "auto_start_on_restore",
    "state",
    "tags",
  ]);
  const json = JSON.parse(toJson(snapshot));
  deepStrictEqual(json.p1.status, {
    state: "stopped",
    pid: null,
    exit_code: 3,
    started_at: null,
    stopped_at: time,
    error: null,
  });
  strictEqual(json.p1.process_id, "p1");
  match(toKdl(snapshot), /^meta version="1\.0" timestamp="2026-01-02T03:04:05\.000Z" hostname="box"\n/);
  match(toKdl(snapshot), /\n {4}state "stopped" exit_code=3 stopped_at="2026-01-02T03:04:05\.000Z"\n/);
});

Deno.test("files as upstream wrote them are read", () => {
  const yaml = fromYaml(`version: '1.0'
timestamp: 2025-10-01T12:00:00.123456789Z
metadata:
  ichimi_version: 0.2.1
  total_processes: 1
  auto_start_processes: 1
  hostname: mac.local
processes:
- id: web
  name: Web
  command: npm
  args:
  - run
  - dev
  env:
    PORT: '3000'
  cwd: /srv
  auto_start_on_restore: true
  state:
    status: running
    pid: 4711
    started_at: 2025-10-01T11:00:00Z
  tags: []
`);
  deepStrictEqual([yaml.hostname, yaml.processes[0]!.name, yaml.processes[0]!.args, yaml.processes[0]!.env], [
    "mac.local",
    "Web",
    ["run", "dev"],
    { PORT: "3000" },
  ]);
  const kdl = fromKdl(`// Ichimi Process Snapshot
meta version="1.0" timestamp="2025-09-01T00:00:00+00:00" hostname="mac"
process "api" name="api" command="cargo" args="run" cwd="/srv/api" auto_start=true tag="rust" {
    env {
        var "RUST_LOG" "debug"
    }
    state "stopped" exit_code=0 stopped_at="2025-09-01T00:00:00+00:00"
}
process "second" command="true"
`);
  deepStrictEqual(
    kdl.processes.map(({ id, args, env, tags, autoStartOnRestore }) => [
      id,
      args,
      env,
      tags,
      autoStartOnRestore,
    ]),
    [
      ["api", ["run"], { RUST_LOG: "debug" }, ["rust"], true],
      ["second", [], {}, [], false],
    ],
  );
  deepStrictEqual(
    fromKdl('process "v2" command="true" auto_start=#true').processes[0]!.autoStartOnRestore,
    true,
  );
  const json = fromJson(JSON.stringify([{ process_id: "old", command: "ls", args: [], env: {}, cwd: null }]));
  strictEqual(json.processes[0]!.id, "old");
});

Deno.test("what is no snapshot is refused with what is wrong and where", () => {
  const wrong: readonly [Format, string, RegExp][] = [
    ["json", "", /^not JSON: /],
    ["json", "3", /^there are no processes in it$/],
    ["json", "null", /^there are no processes in it$/],
    ["json", '{"a": 3}', /^a is no process: expected its fields, found 3$|"id" must be a string/],
    ["json", '{"a": {"process_id": "a"}}', /^Process 'a': "command" must be a string, found nothing$/],
    ["json", '[{"process_id": ""}]', /^Process 1: the id is empty$/],
    [
      "json",
      '[{"process_id": "a", "command": "b", "args": "c"}]',
      /"args" must be a list of strings, found "c"$/,
    ],
    ["json", '[{"process_id": "a", "command": "b", "env": {"A": 1}}]', /"env" must be strings by name/],
    [
      "json",
      '[{"process_id": "a", "command": "b", "restart": "x"}]',
      /"restart" must be one of never, on_failure/,
    ],
    [
      "json",
      '[{"process_id": "a", "command": "b"}, {"process_id": "a", "command": "b"}]',
      /^Process 'a' is there twice$/,
    ],
    ["yaml", "a: [", /^not YAML: .*[^:]$/],
    ["yaml", "version: '2.0'\nprocesses: []", /^its version is "2\.0", expected "1\.0"$/],
    ["yaml", "version: '1.0'\nprocesses: 3", /^"processes" must be a list$/],
    ["yaml", "text", /^there is no snapshot in it$/],
    ["kdl", "process {", /^not KDL: /],
    [
      "kdl",
      'process "a" auto_start=true {\n  env { var "A" "b" }\n}',
      /^not KDL: Missing node terminator at 2:/,
    ],
    ["kdl", 'process "a" auto_start=#true {\n  env { var "A" #maybe }\n}', /^not KDL: .*#maybe.* at 2:/],
    ["kdl", "process command=true", /^Process 1: "id" must be a string/],
    ["kdl", 'meta version="3"', /^its version is "3"/],
  ];
  for (const [format, text, message] of wrong) {
    throws(() => READ[format](text), (error) => {
      ok(error instanceof SnapshotError, `${format} ${text}: ${error}`);
      match(error.message, message);
      return true;
    });
  }
});

Deno.test("a snapshot in YAML says each process by itself", () => {
  const empty = { ...PLAIN, env: {}, tags: [] };
  const text = WRITE.yaml({ timestamp: "t", processes: [empty, { ...empty, id: "b" }] });
  doesNotMatch(text, /[&*]a1/);
});

Deno.test("texts cut and changed at every place are snapshots or refused, and nothing else", () => {
  for (const format of FORMATS) {
    const whole = WRITE[format]({ timestamp: "t", processes: [PLAIN, { ...PLAIN, id: "b" }] });
    for (let at = 0; at < whole.length; at += 3) {
      for (
        const text of [whole.slice(0, at), `${whole.slice(0, at)}"${whole.slice(at + 1)}`, whole.slice(at)]
      ) {
        try {
          READ[format](text);
        } catch (error) {
          ok(error instanceof SnapshotError, `${format} at ${at}: ${error}`);
        }
      }
    }
  }
});

Deno.test("processes are exported, removed and imported again, in upstream's words", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.call("create_process", {
    id: "a",
    command: "sleep",
    args: ["100"],
    auto_start_on_restore: true,
  });
  await assistant.call("create_process", { id: "b", command: "true", env: { A: "b" }, tags: ["t"] });
  const path = `${world.folder}/out`;
  const list = async () => JSON.parse(await assistant.call("list_processes"));
  const before = await list();
  strictEqual(
    await assistant.call("export_processes", { file_path: `${path}.json` }),
    `Processes exported successfully to ${path}.json`,
  );
  strictEqual(
    await assistant.call("export_yaml", { file_path: "out.yaml" }),
    `All processes exported to YAML at ${path}.yaml`,
  );
  strictEqual(
    await assistant.call("export_yaml", { file_path: "auto.yaml", only_auto_start: true }),
    `Auto-start processes exported to YAML at ${world.folder}/auto.yaml`,
  );
  strictEqual(
    await assistant.call("create_formatted_snapshot", { file_path: "out.kdl", format: "kdl" }),
    `Snapshot created successfully at ${path}.kdl (format: Kdl)`,
  );
  strictEqual((await Deno.stat(`${path}.json`)).mode! & 0o777, 0o600);
  const imports = [["import_processes", "json", ""], ["import_yaml", "yaml", "YAML file "], [
    "import_processes",
    "kdl",
    "",
  ]] as const;
  for (const [tool, ending, what] of imports) {
    for (const id of ["a", "b"]) await assistant.call("remove_process", { id });
    strictEqual(
      await assistant.call(tool, { file_path: `${path}.${ending}` }),
      `Processes imported successfully from ${what}${path}.${ending}`,
    );
    deepStrictEqual(
      (await list()).map(({ cwd: _, ...rest }: { cwd: unknown }) => rest),
      before.map(({ cwd: _, ...rest }: { cwd: unknown }) => rest),
    );
  }
});

Deno.test("a snapshot is restored, what starts by itself runs, and what runs already stays as it is", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.call("create_process", {
    id: "auto",
    command: "sleep",
    args: ["100"],
    auto_start_on_restore: true,
  });
  await assistant.call("create_process", { id: "manual", command: "sleep", args: ["100"] });
  match(
    await assistant.call("create_snapshot"),
    /^Snapshot created successfully at \/.*\/snapshots\/snapshot\.yaml$/,
  );
  await assistant.call("remove_process", { id: "auto" });
  await assistant.call("start_process", { id: "manual" });
  const { text, structured } = await assistant.ask("restore_snapshot");
  strictEqual(text, "Snapshot restored successfully\nNot changed, since they run: manual");
  deepStrictEqual(structured, {
    created: ["auto"],
    changed: [],
    skipped: ["manual"],
    started: ["auto"],
    not_started: [],
  });
  const state = (id: string) => world.host.standing(id).state.kind;
  deepStrictEqual([state("auto"), state("manual")], ["running", "running"]);
});

Deno.test("a file with a process that may not be run changes nothing, and other files are not written over", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const file = `${world.folder}/bad.json`;
  Deno.writeTextFileSync(
    file,
    JSON.stringify([
      { process_id: "good", command: "true" },
      { process_id: "bad", command: "rm -rf $HOME; true" },
    ]),
  );
  await rejects(assistant.call("import_processes", { file_path: file }), {
    message: "Command contains potentially dangerous pattern: ';'",
  });
  deepStrictEqual(world.host.records, []);
  await rejects(assistant.call("import_processes", { file_path: "nothing.yaml" }), {
    message: `Cannot read snapshot ${world.folder}/nothing.yaml: there is no such file`,
  });
  await rejects(assistant.call("export_processes", { file_path: "/etc/passwd" }), {
    message: "Cannot write snapshot /etc/passwd: its name must end in .yaml, .kdl or .json",
  });
});
