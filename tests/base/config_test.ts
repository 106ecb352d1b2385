/** Configurations: kinds of values, strict reading with places, samples. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import {
  allKeys,
  ConfigError,
  defaults,
  duration,
  integer,
  loadConfig,
  namedTables,
  nearestName,
  optionalDuration,
  optionalInteger,
  optionalText,
  parseConfig,
  parseDuration,
  sampleConfig,
  stringMap,
  strings,
  table,
  text,
  toggle,
  words,
} from "../../lib/config/mod.ts";
import { AGENT_CONFIG } from "../../lib/telemetry/mod.ts";

const SHAPE = table({
  general: table({
    listen: text({ help: "Where to listen.", fallback: "127.0.0.1:1" }),
    ttl: duration({ help: "For how long.", fallback: "10ms" }),
    mode: text({ help: "How.", fallback: "a", oneOf: ["a", "b"] }),
    socket: optionalText({ help: "A path.", example: "/run/x" }),
    without: words({ help: "What to leave out.", oneOf: ["a", "b"] }),
  }, { help: "In general." }),
  limits: table({
    most: integer({ help: "At most.", fallback: 5, min: 1, max: 9 }),
    bits: integer({ help: "Bits.", fallback: 0o770, min: 0, max: 0o777, octal: true }),
    least: optionalInteger({ help: "At least.", example: "3", min: 0, max: 9 }),
    on: toggle({ help: "Whether.", fallback: true }),
  }, { help: "Limits.", foreign: ["elsewhere"] }),
}, { help: "A shape." });

Deno.test("an empty file gives the defaults, a full one its values", () => {
  const config = defaults(SHAPE);
  deepStrictEqual(config, {
    general: { listen: "127.0.0.1:1", ttl: 10, mode: "a", socket: undefined, without: [] },
    limits: { most: 5, bits: 0o770, least: undefined, on: true },
  });
  const { config: full } = parseConfig(
    SHAPE,
    `[general]\nlisten = "x"\nttl = "1m30s"\nmode = "b"\nsocket = "/s"\nwithout = ["b", "a"]\n[limits]\nmost = 9\nbits = 0o700\nleast = 0\non = false`,
    "f",
  );
  deepStrictEqual(full.general, { listen: "x", ttl: 90_000, mode: "b", socket: "/s", without: ["b", "a"] });
  deepStrictEqual(full.limits, { most: 9, bits: 0o700, least: 0, on: false });
});

Deno.test("mistakes are told with file, line, key and what was expected", () => {
  const cases: [string, RegExp][] = [
    [
      "[general]\n\nlisen = 'x'",
      /^Cannot read configuration f:3: unknown key "general\.lisen"; did you mean "listen"\?$/,
    ],
    ["[genral]\n", /f:1: unknown key "genral"; did you mean "general"\?/],
    ["[general]\nttl = 5", /f:2: "general\.ttl" is 5, expected a duration such as "10ms"/],
    ["[general]\nttl = 'soon'", /f:2: "general\.ttl" is "soon"/],
    ["[general]\nmode = 'c'", /expected one of "a", "b"/],
    ["[general]\nwithout = ['a', 'c']", /f:2: "general\.without" is .*, expected a list of "a", "b"$/],
    ["[general]\nwithout = 'a'", /f:2: "general\.without" is "a", expected a list of/],
    ["[limits]\nmost = 10", /f:2: "limits\.most" is 10, expected a whole number from 1 to 9/],
    ["[limits]\nmost = 1.5", /expected a whole number/],
    ["[limits]\non = 'yes'", /expected true or false/],
    ["general = 3", /f:1: "general" is 3, expected a table/],
    ["[general\n", /^Cannot parse configuration f:1:\d+: /],
    ["zzz = 1", /unknown key "zzz"$/],
    ["toString = 1", /unknown key "toString"$/],
  ];
  for (const [toml, expected] of cases) {
    throws(() => parseConfig(SHAPE, toml, "f"), (error: Error) => {
      ok(error instanceof ConfigError);
      match(error.message, expected);
      return true;
    });
  }
  throws(() => loadConfig(SHAPE, "/nonexistent/file"), /\/nonexistent\/file: there is no such file/);
});

Deno.test("keys of other programs are passed over with a warning that tells the place", () => {
  const { warnings } = parseConfig(SHAPE, "[limits]\nmost = 2\nelsewhere = 7\n", "f");
  deepStrictEqual(warnings, ['f:3: "limits.elsewhere" has no meaning here and is passed over']);
});

Deno.test("upstream's agent file is read: its own sections with a warning where they mean nothing here", () => {
  const upstream =
    `[general]\nlisten = "0.0.0.0:4241"\nttl = "10ms"\n[scheduler]\n[log]\nlevel = "info"\n[defaults]\nenabled = true\n` +
    `[samplers.blockio_latency]\n[samplers.cpu_perf]\n[samplers.drivehealth]\n[samplers.gpu_amd_pmu]\nenabled = false\n[samplers.tcp_traffic]\n`;
  const { config, warnings } = parseConfig(AGENT_CONFIG, upstream, "agent.toml");
  strictEqual(config.general.listen, "0.0.0.0:4241");
  deepStrictEqual(warnings.map((line) => /"([^"]+)"/.exec(line)![1]), [
    "samplers.cpu_perf",
    "samplers.drivehealth",
    "samplers.gpu_amd_pmu",
  ]);
});

Deno.test("parseDuration() reads units and sums, and refuses the rest", () => {
  deepStrictEqual(
    ["10ms", "1.5s", "1h30m", "2d", "250us", "1µs", " 3s ", "1m 5s"].map(parseDuration),
    [10, 1_500, 5_400_000, 172_800_000, 0.25, 0.001, 3_000, 65_000],
  );
  deepStrictEqual(["", "5", "s", "1x", "-1s", "1s!", "1 0s"].map(parseDuration), Array(7).fill(undefined));
  throws(() => duration({ help: "x", fallback: "never" }), /default is "never"/);
});

Deno.test("duration() keeps its bounds and tells them", () => {
  const key = duration({ help: "x", fallback: "10s", minMs: 1_000, maxMs: 90_000 });
  strictEqual(key.expected, 'a duration such as "10s", at least 1s, at most 90s');
  deepStrictEqual(["999ms", "1s", "90s", "90.1s"].map((text) => key.read(text)), [
    undefined,
    1_000,
    90_000,
    undefined,
  ]);
});

Deno.test("nearestName() allows for a slip, a swap and no more", () => {
  const known = ["interval", "listen", "format"];
  deepStrictEqual(["intervall", "lisetn", "fromat", "xyz", ""].map((name) => nearestName(name, known)), [
    "interval",
    "listen",
    "format",
    undefined,
    undefined,
  ]);
});

Deno.test("a sample has every key, reads as the defaults, and shows what has none", () => {
  const sample = sampleConfig(
    SHAPE,
    "A title that is long enough to be wrapped, since it goes on and on beyond the eightieth column.",
  );
  deepStrictEqual(parseConfig(SHAPE, sample, "sample").config, defaults(SHAPE));
  const shown = sample.replaceAll(/^# (\w+ = )/gm, "$1");
  deepStrictEqual(parseConfig(SHAPE, shown, "sample").config.general.socket, "/run/x");
  strictEqual(allKeys(SHAPE).length, 9);
  ok(sample.includes("bits = 0o770") && sample.split("\n").every((line) => line.length <= 80));
});

Deno.test("tables by name keep the file's order, and their mistakes have places", () => {
  const shape = table({
    process: namedTables(
      { command: text({ help: "What runs.", fallback: "true" }) },
      { help: "One process.", example: "web" },
    ),
  }, { help: "Processes." });
  const toml = '[process.zebra]\ncommand = "z"\n[process."a b"]\n';
  const { config } = parseConfig(shape, toml, "f");
  deepStrictEqual(Object.entries(config.process), [["zebra", { command: "z" }], ["a b", {
    command: "true",
  }]]);
  deepStrictEqual(parseConfig(shape, "", "f").config.process, {});
  deepStrictEqual(allKeys(shape).map(({ path }) => path), ["process.web.command"]);
  match(sampleConfig(shape, "Sample."), /^# \[process\.web\]$/m);
  throws(() => parseConfig(shape, "process = 3", "f"), /"process" is 3, expected tables \[process\.<name>\]/);
  throws(() => parseConfig(shape, "process.web = 3", "f"), /"process\.web" is 3, expected a table/);
  throws(
    () => parseConfig(shape, "[process.web]\n\ncomand = 1", "f"),
    /f:3: unknown key "process\.web\.comand"/,
  );
});

Deno.test("a lenient reading passes unknown keys over with a warning", () => {
  const shape = table({ port: integer({ help: "Port.", fallback: 1, min: 1, max: 9 }) }, { help: "Server." });
  const { config, warnings } = parseConfig(shape, "port = 3\nprot = 4", "f", { lenient: true });
  strictEqual(config.port, 3);
  deepStrictEqual(warnings, ['f:2: unknown key "prot" is passed over; did you mean "port"?']);
});

Deno.test("strings() and stringMap() read lists and tables of texts, and show in a sample what could stand there", () => {
  const shape = table({
    args: strings({ help: "Words.", example: ["--port", "1"] }),
    env: stringMap({ help: "Variables.", example: { A: "1" } }),
    wait: optionalDuration({ help: "A pause.", example: "5s" }),
  }, { help: "Test." });
  const read = (toml: string) => parseConfig(shape, toml, "t.toml").config;
  deepStrictEqual(read(""), { args: [], env: {}, wait: undefined });
  deepStrictEqual(read('args = ["a"]\nenv = { A = 1, B = true, C = "x" }\nwait = "2s"'), {
    args: ["a"],
    env: { A: "1", B: "true", C: "x" },
    wait: 2_000,
  });
  throws(() => read("args = [1]"), /"args" is a list, expected a list of strings/);
  throws(() => read("env = { A = [] }"), /"env" is a table, expected a table of strings/);
  match(
    sampleConfig(shape, "Test."),
    /^# args = \["--port", "1"\]$[^]*^# env = \{ A = "1" \}$[^]*^# wait = "5s"$/m,
  );
});
