/** What a program can check of the house: arrows between folders, lists against folders, limits, generated files. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { GENERATED } from "../cmd/dev/generate.ts";
import { bpfObjects } from "../lib/build/bpf.ts";
import { ROOT } from "../lib/build/paths.ts";
import { exec } from "../lib/build/step.ts";
import { RUNTIME_FLAGS } from "../lib/build/tools.ts";
import { allKeys, type Entries, parseConfig } from "../lib/config/mod.ts";
import { HISTOGRAM_LAYOUT } from "../lib/metrics/mod.ts";
import { RECORD_CONFIG } from "../lib/recording/mod.ts";
import { REZ_VERSION } from "../lib/recording/rez_db.ts";
import { RING_FORMAT } from "../lib/ring/mod.ts";
import { BLOCKIO_CPU, BLOCKIO_ERRORS, BLOCKIO_OPS } from "../lib/telemetry/bpf/blockio.ts";
import { MAX_CGROUPS } from "../lib/telemetry/bpf/cgroup_table.ts";
import { NETWORK_CPU } from "../lib/telemetry/bpf/network.ts";
import { MAX_TASKS, SCHED_CGROUP, SCHED_CPU, SCHED_ROWS, SCHED_TASK } from "../lib/telemetry/bpf/sched.ts";
import { SOFTIRQ_CPU, SOFTIRQ_KINDS } from "../lib/telemetry/bpf/softirq.ts";
import { SYSCALL_COUNTERS } from "../lib/telemetry/bpf/syscall.ts";
import { SYSCALL_KINDS } from "../lib/telemetry/bpf/syscall_kinds.ts";
import { TCP_CPU, TCP_ROWS } from "../lib/telemetry/bpf/tcp.ts";
import { AGENT_CONFIG, SAMPLERS } from "../lib/telemetry/mod.ts";
import { BPM_CONFIG } from "../lib/bpm/mod.ts";
import { ICHIMI_CONFIG } from "../lib/ichimi/mod.ts";
import { LEDGER_FORMAT } from "../lib/supervisor/mod.ts";
import { HISTORY_FORMAT } from "../lib/nix_btm/mod.ts";
import { STORE_FORMAT } from "../lib/ichimi/mod.ts";
import { FORMATS } from "../lib/version/mod.ts";
import { SECTIONS } from "../lib/viewer/mod.ts";

/** Folders of `lib` that hold ground for everything; the others are features. */
const BASE = new Set([
  "accounts",
  "async",
  "build",
  "cli",
  "config",
  "events",
  "keeper",
  "log",
  "mcp",
  "metrics",
  "procfs",
  "regex",
  "ring",
  "rpc",
  "systemd",
  "tui",
  "version",
  "web",
]);

/** Files that decide and must be replayable: no runtime, clock or chance. */
const PURE = [
  /^lib\/supervisor\/(machine|graph)\.ts$/,
  /^lib\/async\/backoff\.ts$/,
  /^lib\/promql\//,
  /^lib\/metrics\//,
  /^lib\/events\//,
  /^lib\/regex\//,
  /^lib\/telemetry\/bpf\/variants\.ts$/,
  /^lib\/telemetry\/external\/(line|binary|store|pushed)\.ts$/,
  /^lib\/tsdb\//,
  /^lib\/ring\/records\.ts$/,
  /^lib\/services\/(dependency|log_search|digest|secrets|span|service_marks)\.ts$/,
  /^lib\/bpm\/(changes|status_text|expand|board)\.ts$/,
  /^lib\/bpm\/init\/(?!disk)[a-z_]+\.ts$/,
  /^lib\/nix\//,
  /^lib\/nix_btm\/(world|summary|waiting|usage|metrics|markers)\.ts$/,
  /^lib\/nix_btm\/tui\/(?!run)[a-z_]+\.ts$/,
  /^lib\/nix_btm\/tui\/views\//,
  /^lib\/ichimi\/(allow|policy|record|state|pattern|config|hello|client|habits|template|unit)\.ts$/,
  /^lib\/ichimi\/snapshots\/(?!files|find|mod)[a-z]+\.ts$/,
  /^lib\/keeper\/lines\.ts$/,
  /^lib\/mcp\/(schema|schema_check|tool|tasks|task_id|plain|wire|ask|json_[a-z]+|toml_edit|lines|clients|request_headers)\.ts$/,
  /^lib\/ichimi\/proxy_config\.ts$/,
  /^lib\/mcp_proxy\/(message|repeat|session|table|lists|ending|inquiries|effect|router|shown|life|limits|own_tools)\.ts$/,
  /^lib\/nix_btm\/inline\/(?!session)[a-z_]+\.ts$/,
  /^lib\/nix_btm\/wrap\/(command|split|_words|_open)\.ts$/,
  /^lib\/tui\/(?!terminal|app)[a-z_]+\.ts$/,
  /^lib\/nix_btm\/processes\/(?!watch|steering|cgroup_files)[a-z_]+\.ts$/,
  /^lib\/bpm_tui\/(?!mcp_client|server|effects|run)[a-z_]+\.ts$/,
];

/** Folders whose loops must not convert bigints value by value. */
const HOT = [/^lib\/tsdb\//, /^lib\/promql\//, /^lib\/telemetry\/bpf\/(readers|tasks)\.ts$/];

const MAX_LINES = 400;
const MAX_TEST_LINES = 600;

/** Longer for a reason. */
const LONG: Readonly<Record<string, string>> = {};

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const SOURCES: readonly Source[] = ["cmd", "lib", "ffi"].flatMap((folder) => sourcesBelow(folder));

function sourcesBelow(folder: string): Source[] {
  return filesBelow(folder).filter((path) => /\.tsx?$/.test(path)).map((path) => {
    const text = Deno.readTextFileSync(ROOT + path);
    const imports = [...text.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)"|import\("([^"]+)"\)/gm)]
      .map(([, from, dynamic]) => (from ?? dynamic)!)
      .map((from) => from.startsWith(".") ? resolve(path, from) : from);
    return { path, text, imports };
  });
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}/${name}`) : [`${folder}/${name}`]
  ).sort();
}

function resolve(from: string, to: string): string {
  return new URL(to, `file:///${from}`).pathname.slice(1);
}

/** `lib/x` of `lib/x/y/z.ts`, `ffi/x`, `cmd/x`. */
function unitOf(path: string): string {
  return path.split("/").slice(0, 2).join("/");
}

function code(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/.*$/gm, "");
}

Deno.test("the top level is what the design says", () => {
  const expected = [
    "LICENSE",
    "README.md",
    "bpf",
    "cmd",
    "config",
    "deno.json",
    "deno.lock",
    "ffi",
    "lib",
    "proto",
    "tests",
  ];
  const found = [...Deno.readDirSync(ROOT)].map(({ name }) => name).filter((name) => !name.startsWith("."));
  deepStrictEqual(found.filter((name) => !["dist", "coverage"].includes(name)).sort(), expected);
});

Deno.test("arrows point down: cmd -> lib features -> lib base -> ffi", () => {
  const wrong = SOURCES.flatMap(({ path, imports }) =>
    imports.filter((to) => !allowed(path, to)).map((to) => `${path} -> ${to}`)
  );
  deepStrictEqual(wrong, []);
});

function allowed(from: string, to: string): boolean {
  const [layer, name] = to.split("/") as [string, string];
  if (!["cmd", "lib", "ffi"].includes(layer)) return true;
  if (from.startsWith("ffi/")) return layer === "ffi";
  if (from.startsWith("cmd/")) return true;
  if (layer === "cmd") return false;
  if (layer === "ffi") return true;
  return BASE.has(from.split("/")[1]!) ? BASE.has(name) : true;
}

Deno.test("features of lib meet through mod.ts", () => {
  const wrong = SOURCES.filter(({ path }) => path.startsWith("lib/")).flatMap(({ path, imports }) =>
    imports.filter((to) =>
      to.startsWith("lib/") && unitOf(to) !== unitOf(path) && !/\/mod\.ts$/.test(to) &&
      // The base may be taken in parts: a page's bundle must not carry all of it.
      !BASE.has(to.split("/")[1]!)
    ).map((to) => `${path} -> ${to}`)
  );
  deepStrictEqual(wrong, []);
});

Deno.test("private files stay in their folder", () => {
  const wrong = SOURCES.flatMap(({ path, imports }) =>
    imports.filter((to) => /\/_[^/]+$/.test(to) && !path.startsWith(to.slice(0, to.lastIndexOf("/")))).map((
      to,
    ) => `${path} -> ${to}`)
  );
  deepStrictEqual(wrong, []);
});

Deno.test("no folder depends on itself through others", () => {
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of SOURCES) {
    const from = unitOf(path);
    for (const to of imports.filter((each) => /^(lib|ffi)\//.test(each)).map(unitOf)) {
      if (to !== from) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
  }
  const circles: string[] = [];
  const visit = (unit: string, trail: readonly string[]): void => {
    if (trail.includes(unit)) {
      circles.push([...trail.slice(trail.indexOf(unit)), unit].join(" -> "));
      return;
    }
    for (const next of edges.get(unit) ?? []) visit(next, [...trail, unit]);
  };
  for (const unit of edges.keys()) visit(unit, []);
  deepStrictEqual([...new Set(circles)], []);
});

Deno.test("native libraries are opened in one place, and the process is ended only by main", () => {
  const opened = SOURCES.filter(({ text }) => code(text).includes("Deno.dlopen")).map(({ path }) => path);
  deepStrictEqual(opened, ["ffi/assets.ts"]);
  // Text of programs that are made here does not count.
  const exits = SOURCES.filter(({ text }) => code(text).replaceAll(/`[^`]*`/g, "").includes("Deno.exit("))
    .map(({ path }) => path);
  deepStrictEqual(exits.filter((path) => !/^cmd\/[^/]+\/main\.ts$/.test(path)), []);
});

Deno.test("pure files know no runtime, clock or chance", () => {
  const impure =
    /\bDeno\.|\bDate\.now|\bnew Date\(\)|\bperformance\.|\bMath\.random|\bcrypto\.|\bsetTimeout|\bsetInterval/;
  const wrong = SOURCES.filter(({ path, text }) =>
    PURE.some((pure) => pure.test(path)) && impure.test(code(text))
  );
  deepStrictEqual(wrong.map(({ path, text }) => `${path}: ${impure.exec(code(text))![0]}`), []);
});

Deno.test("hot folders read no bigint element by element", () => {
  const slow = /\bBigUint64Array|\bBigInt64Array|getBigUint64|getBigInt64/;
  const wrong = SOURCES.filter(({ path, text }) =>
    HOT.some((hot) => hot.test(path)) && slow.test(code(text))
  );
  deepStrictEqual(wrong.map(({ path }) => path), []);
});

Deno.test("files stay small", () => {
  const all = [
    ...SOURCES.map(({ path }) => path),
    ...filesBelow("tests").filter((path) => path.endsWith(".ts")),
  ]
    .filter((path) => !path.endsWith("_generated.ts"));
  const long = all.flatMap((path) => {
    const lines = Deno.readTextFileSync(ROOT + path).split("\n").length - 1;
    return lines > (path.startsWith("tests/") ? MAX_TEST_LINES : MAX_LINES) && !(path in LONG)
      ? [`${path}: ${lines} lines`]
      : [];
  });
  deepStrictEqual(long, []);
});

Deno.test("no catch is empty, no export is a default, no enum and no any", () => {
  const rules: [string, RegExp][] = [
    ["empty catch", /catch\s*(\([^)]*\))?\s*\{\s*\}/],
    ["default export", /^export default/m],
    ["enum", /^\s*(export )?(const )?enum /m],
    ["any", /[:<]\s*any\b/],
  ];
  const written = SOURCES.filter(({ path }) => !path.endsWith("_generated.ts"));
  const wrong = written.flatMap(({ path, text }) =>
    // A catch that says why dropping is safe is not empty.
    rules.filter(([name, rule]) => rule.test(name === "empty catch" ? text : code(text))).map(([name]) =>
      `${path}: ${name}`
    )
  );
  // Key<any> is how a table may hold keys of every type.
  deepStrictEqual(wrong.filter((each) => each !== "lib/config/table.ts: any"), []);
});

Deno.test("every folder of lib opens with its module paragraph", () => {
  const folders = [...Deno.readDirSync(`${ROOT}lib`)].map(({ name }) => `lib/${name}`);
  const without = folders.filter((folder) => {
    const source = SOURCES.find(({ path }) => path === `${folder}/mod.ts`);
    return folder !== "lib/build" && (source === undefined || !/^\/\*\*[\s\S]*?@module/.test(source.text));
  });
  deepStrictEqual(without, []);
});

Deno.test("the lists of samplers and sections are their folders", () => {
  const samplers = [...Deno.readDirSync(`${ROOT}lib/telemetry/samplers`)].map(({ name }) =>
    name.replace(/\.ts$/, "")
  );
  deepStrictEqual(SAMPLERS.map(({ name }) => name), samplers.filter((name) => name !== "mod").sort());
  const sections = [...Deno.readDirSync(`${ROOT}lib/viewer/views`)].map(({ name }) =>
    name.replace(/\.ts$/, "")
  );
  const helpers = ["mod", "chart_def"];
  deepStrictEqual(
    SECTIONS.map(({ id }) => id).sort(),
    sections.filter((name) => !helpers.includes(name)).sort(),
  );
  const used = SOURCES.flatMap(({ text }) =>
    [...text.matchAll(/object: "(\w+)",\s+hooks/g)].map(([, name]) => name!)
  );
  deepStrictEqual(used.sort(), bpfObjects());
});

for (
  const [file, shape] of [
    ["config/agent.toml", AGENT_CONFIG],
    ["config/bpm.mcp-run", BPM_CONFIG],
    ["config/record.toml", RECORD_CONFIG],
    ["config/ichimi.toml", ICHIMI_CONFIG],
  ] as const
) {
  Deno.test(`${file} has every key and nothing else, with the defaults`, () => {
    const sample = Deno.readTextFileSync(ROOT + file);
    for (const { path } of allKeys(shape)) {
      const key = path.split(".").at(-1)!;
      ok(new RegExp(`^(# )?${key} = `, "m").test(sample), `${path} is not in ${file}`);
    }
    const { warnings } = parseConfig<Entries>(
      shape,
      sample.replaceAll(/^# (\w+ = |\[[\w.]+\]$)/gm, "$1"),
      file,
    );
    deepStrictEqual(warnings, []);
  });
}

Deno.test("structures of BPF headers are what user space believes", () => {
  const wrong: string[] = [];
  for (const { path, text } of SOURCES.filter(({ path }) => path.startsWith("lib/telemetry/bpf/"))) {
    for (
      const [, header, struct, body] of text.matchAll(
        /layout\(\s*"([^"]+)",\s*"([^"]+)",\s*\[([\s\S]*?)\]\);/g,
      )
    ) {
      const source = Deno.readTextFileSync(`${ROOT}bpf/${header}`);
      const c = new RegExp(`struct ${struct} \\{([\\s\\S]*?)\\n\\};`).exec(source)?.[1] ?? "";
      const fields = [...c.replaceAll(/\/\*[\s\S]*?\*\//g, "").matchAll(/\bu64 (\w+)/g)].map(([, name]) =>
        name!
      );
      const believed = [...body!.matchAll(/"(\w+)"/g)].map(([, name]) => name!);
      const known = believed.filter((name) => fields.includes(name));
      if (fields.length === 0 || known.join() !== fields.join()) {
        wrong.push(`${path}: ${struct} is ${fields}`);
      }
    }
  }
  deepStrictEqual(wrong, []);
});

Deno.test("sizes and numbers of BPF headers are what user space believes, as the compiler counts them", async () => {
  const layouts = [
    BLOCKIO_CPU,
    NETWORK_CPU,
    SCHED_CPU,
    SCHED_CGROUP,
    SCHED_TASK,
    SOFTIRQ_CPU,
    SYSCALL_COUNTERS,
    TCP_CPU,
  ];
  const numbers: [string, number][] = [
    ["BLOCKIO_OPS", BLOCKIO_OPS.length],
    ["BLOCKIO_ERRORS", BLOCKIO_ERRORS.length],
    ["SOFTIRQ_KINDS", SOFTIRQ_KINDS.length],
    ["SYSCALL_KINDS", SYSCALL_KINDS.length],
    ["SCHED_RUNQUEUE_LATENCY", SCHED_ROWS.runqueueLatency],
    ["SCHED_RUNNING", SCHED_ROWS.running],
    ["SCHED_OFFCPU", SCHED_ROWS.offcpu],
    ["SCHED_HISTOGRAMS", Object.keys(SCHED_ROWS).length],
    ["TCP_RECEIVE_SIZE", TCP_ROWS.receiveSize],
    ["TCP_TRANSMIT_SIZE", TCP_ROWS.transmitSize],
    ["TCP_CONNECT_LATENCY", TCP_ROWS.connectLatency],
    ["TCP_PACKET_LATENCY", TCP_ROWS.packetLatency],
    ["TCP_HISTOGRAMS", Object.keys(TCP_ROWS).length],
  ];
  const lines = [
    "typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long long u64;",
    ...new Set(layouts.map(({ header }) => `#include "${ROOT}bpf/${header}"`)),
    ...layouts.map(({ struct, size }) =>
      `_Static_assert(sizeof(struct ${struct}) == 8 * ${size}, "${struct}");`
    ),
    ...numbers.map(([name, value]) => `_Static_assert(${name} == ${value}, "${name}");`),
  ];
  const file = await Deno.makeTempFile({ suffix: ".c" });
  try {
    await Deno.writeTextFile(file, `${lines.join("\n")}\n`);
    await exec("gcc", ["-std=c11", "-fsyntax-only", file]);
  } finally {
    await Deno.remove(file);
  }
  const defined = (source: string, name: string) =>
    Number(
      new RegExp(`^#define ${name} (\\d+)$`, "m").exec(Deno.readTextFileSync(`${ROOT}bpf/${source}`))?.[1],
    );
  strictEqual(defined("sched.bpf.c", "MAX_TASKS"), MAX_TASKS);
  strictEqual(defined("common/cgroup.bpf.h", "MAX_CGROUPS"), MAX_CGROUPS);
  strictEqual(defined("common/core.bpf.h", "H2_BUCKETS"), HISTOGRAM_LAYOUT.bucketCount);
  strictEqual(defined("common/core.bpf.h", "H2_GROUPING_POWER"), HISTOGRAM_LAYOUT.groupingPower);
});

Deno.test("the numbers of formats that --version tells are those that files are written with", () => {
  deepStrictEqual(FORMATS, {
    ring: RING_FORMAT,
    ledger: LEDGER_FORMAT,
    journal: REZ_VERSION,
    history: HISTORY_FORMAT,
    ichimi: STORE_FORMAT,
  });
});

for (const { path, make } of GENERATED) {
  Deno.test(`${path} is what "deno task generate" makes`, async () => {
    const normal = (text: string) => text.replaceAll(/\s+/g, " ");
    strictEqual(normal(Deno.readTextFileSync(ROOT + path)), normal(await make()));
  });
}

Deno.test("each tool's task in deno.json carries exactly the tool's permissions, and the flags of the runtime", () => {
  const { tasks }: { tasks: Record<string, string> } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  for (const { name } of Deno.readDirSync(`${ROOT}cmd`)) {
    if (name === "hostkit") continue; // It runs each tool with the tool's own list.
    const { permissions }: { permissions: string[] } = JSON.parse(
      Deno.readTextFileSync(`${ROOT}cmd/${name}/tool.json`),
    );
    const own = Object.values(tasks).filter((task) => task.includes(`cmd/${name}/main.ts`));
    ok(own.length > 0, `deno.json has no task for ${name}`);
    for (const task of own) deepStrictEqual(task.match(/--allow-\S+/g), permissions, task);
    // What is unstable stands in deno.json once.
    const flags = RUNTIME_FLAGS.filter((flag) => flag.startsWith("--v8-flags="));
    if (name === "dev") continue;
    for (const task of own) deepStrictEqual(task.match(/--v8-flags=\S+/g), flags, task);
    ok(!permissions.some((each) => each === "-A" || each === "--allow-all"), `${name} asks for everything`);
  }
});

Deno.test("nothing names a machine's folder or a package registry's host", () => {
  const words = ["registry." + "npmjs", "deb." + "debian.org", "/work" + "/main", "jsr" + ".io/"];
  const paths = ["cmd", "lib", "ffi", "bpf", "config", "tests", "proto"].flatMap(filesBelow).concat([
    "deno.json",
    "deno.lock",
    "README.md",
  ]);
  const wrong = paths.flatMap((path) => {
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(ROOT + path));
    return words.filter((word) => text.includes(word)).map((word) => `${path}: ${word}`);
  });
  deepStrictEqual(wrong, []);
});
