/** What is recorded, as it is written on the command line and in a file. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import {
  allKeys,
  ConfigError,
  defaults,
  parseConfig,
  sampleConfig,
  table,
  tables,
  text,
} from "../../lib/config/mod.ts";
import {
  DEFAULT_ENDPOINT,
  DEFAULT_OUTPUT,
  type Endpoint,
  formatOf,
  nameEndpoints,
  parseEndpoint,
  RECORD_CONFIG,
  RECORD_FORMATS,
  separateOutput,
} from "../../lib/recording/mod.ts";
import { record } from "../../cmd/rezolus/record.ts";
import { DEFAULT_AGENT_URL } from "../../cmd/rezolus/words.ts";

Deno.test("an endpoint is a URL with what is said of it behind commas", () => {
  deepStrictEqual(parseEndpoint("http://h:4241"), { url: "http://h:4241" });
  deepStrictEqual(parseEndpoint("/run/a.sock, source=a=b,role=service,,protocol=msgpack"), {
    url: "/run/a.sock",
    source: "a=b",
    role: "service",
    protocol: "msgpack",
  });
  const wrong: [string, RegExp][] = [
    ["", /Cannot read endpoint "": expected URL/],
    ["h,source", /Cannot read endpoint "h,source": "source" is no KEY=VALUE/],
    ["h,source=", /"source=" is no KEY=VALUE/],
    ["h,sorce=a", /unknown key "sorce"; did you mean "source"\?/],
    ["h,xyz=a", /unknown key "xyz"$/],
    ["h,protocol=http", /its protocol is "http", expected msgpack or prometheus/],
  ];
  for (const [given, expected] of wrong) {
    throws(() => parseEndpoint(given), (error: Error) => {
      strictEqual(error.name, "SyntaxError");
      match(error.message, expected);
      return true;
    });
  }
});

const NAMES: [string, Endpoint[], string[]][] = [
  ["an agent alone is rezolus", [{ url: "h:4241" }], ["rezolus"]],
  ["so is one on a socket", [{ url: "/run/agent.sock" }], ["rezolus"]],
  ["or on one below the folder", [{ url: "./run/agent.sock" }], ["rezolus"]],
  ["an agent's page is the agent", [{ url: "http://h:4241/metrics/binary" }], ["rezolus"]],
  ["several sockets go by their path", [{ url: "./a.sock" }, { url: "../b.sock" }], ["a.sock", "b.sock"]],
  ["a source is the name", [{ url: "h", source: "vllm" }, { url: "i" }], ["vllm", "rezolus"]],
  ["several agents go by their place", [{ url: "http://web1:4241" }, { url: "web2" }], ["web1-4241", "web2"]],
  ["a page of metrics goes by its place", [{ url: "http://svc:9090/metrics" }, { url: "h" }], [
    "svc-9090",
    "rezolus",
  ]],
  ["and by a path that tells more", [{ url: "http://svc:9090/federate?match=x" }], ["svc-9090-federate"]],
  ["what is said to speak Prometheus is no agent", [{ url: "svc:1", protocol: "prometheus" }], ["svc-1"]],
  [
    "a source that two share gets the place",
    [{ url: "a:1", source: "s" }, { url: "b:1", source: "s" }],
    ["s-a-1", "s-b-1"],
  ],
  ["names that still are equal get a number", [{ url: "a:1" }, { url: "a/1" }, { url: "b" }], [
    "a-1",
    "a-1-2",
    "b",
  ]],
];
for (const [what, endpoints, names] of NAMES) {
  Deno.test(`endpoints have names of their own: ${what}`, () => {
    deepStrictEqual(nameEndpoints(endpoints).map(({ name }) => name), names);
    deepStrictEqual(nameEndpoints(endpoints).map(({ url }) => url), endpoints.map(({ url }) => url));
  });
}

Deno.test("no endpoint, or one given twice, is refused", () => {
  throws(() => nameEndpoints([]), /Cannot record: no endpoint is given/);
  throws(
    () => nameEndpoints([{ url: "a" }, { url: "b" }, { url: "a" }]),
    /Cannot record a twice in one recording/,
  );
  throws(
    () => nameEndpoints([{ url: "h" }, { url: "http://h:4241/metrics/binary" }]),
    /Cannot record http:\/\/h:4241\/metrics\/binary twice in one recording/,
  );
  throws(() => nameEndpoints([{ url: "ftp://h" }]), /Cannot read agent address "ftp:\/\/h"/);
});

Deno.test("a file of one's own stands beside the output", () => {
  strictEqual(separateOutput("/tmp/run.parquet", "rezolus"), "/tmp/run_rezolus.parquet");
  strictEqual(separateOutput("dir.d/run", "a/b c"), "dir.d/run_a-b-c");
  strictEqual(separateOutput(".hidden", "x"), ".hidden_x");
});

Deno.test("a file's name tells its format", () => {
  deepStrictEqual(["a.rez", "a.raw", "a.msgpack", "a.parquet", "a.dat", "a"].map(formatOf), [
    "rez",
    "raw",
    "raw",
    "parquet",
    "parquet",
    "parquet",
  ]);
});

Deno.test("the recorder's file is upstream's, with a warning for what has no meaning here", () => {
  const { config, warnings } = parseConfig(
    RECORD_CONFIG,
    `[recording]\ninterval = "100ms"\noutput = "/tmp/a.rez"\nseparate = true\nformat = "rez"\n` +
      `[[endpoints]]\nurl = "http://a:1"\nrole = "service"\n` +
      `[[endpoints]]\nurl = "http://b:9090/metrics"\nsource = "llm-perf"\nprotocol = "prometheus"\n` +
      `[gpu_amd_pmu]\nenabled = true\n`,
    "record.toml",
  );
  deepStrictEqual(config, {
    recording: { interval: 100, output: "/tmp/a.rez", format: "rez", separate: true },
    endpoints: [
      { url: "http://a:1", source: undefined, role: "service", protocol: undefined },
      { url: "http://b:9090/metrics", source: "llm-perf", role: undefined, protocol: "prometheus" },
    ],
  });
  deepStrictEqual(warnings, ['record.toml:13: "gpu_amd_pmu" has no meaning here and is passed over']);
  deepStrictEqual(defaults(RECORD_CONFIG).endpoints, []);
  const sample = parseConfig(RECORD_CONFIG, sampleConfig(RECORD_CONFIG, "Sample."), "s").config;
  deepStrictEqual([sample.recording.output, sample.endpoints[0]!.url], [DEFAULT_OUTPUT, DEFAULT_ENDPOINT]);
});

Deno.test("the command line, which loads no library for its help, has the library's words", () => {
  strictEqual(DEFAULT_AGENT_URL, DEFAULT_ENDPOINT);
  const { options = {}, positionals = [] } = record;
  deepStrictEqual(options["format"]!.complete, RECORD_FORMATS);
  match(positionals[1]!.help, new RegExp(`\\[default: ${DEFAULT_OUTPUT}\\]$`));
});

Deno.test("a list of tables is checked table by table, and errors tell the line of the one that is meant", () => {
  const shape = table(
    { each: tables({ name: text({ help: "A name.", fallback: "x" }) }, { help: "Each." }) },
    {
      help: "All.",
    },
  );
  const list = `[[each]]\nname = "a"\n[[each]]\n`;
  deepStrictEqual(parseConfig(shape, list, "f").config, { each: [{ name: "a" }, { name: "x" }] });
  deepStrictEqual(allKeys(shape).map(({ path }) => path), ["each.name"]);
  ok(sampleConfig(shape, "T").includes('# Each.\n[[each]]\n# A name.\nname = "x"\n'));
  const wrong: [string, RegExp][] = [
    [`${list}name = 7\n`, /f:4: "each\.name" is 7, expected a string/],
    [`${list}nam = 7\n`, /f:4: unknown key "each\.nam"; did you mean "name"\?/],
    [`[each]\nname = "a"\n`, /f:1: "each" is a table, expected tables \[\[each\]\]/],
    [`each = [1]\n`, /f:1: "each" is a list, expected tables \[\[each\]\]/],
  ];
  for (const [toml, expected] of wrong) {
    throws(() => parseConfig(shape, toml, "f"), (error: Error) => {
      ok(error instanceof ConfigError);
      match(error.message, expected);
      return true;
    });
  }
});
