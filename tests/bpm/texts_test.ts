/** What the process manager says: status lines, environment files, secrets, cargo's targets. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { chooseTarget, expandTexts, stateFolder, statusText } from "../../lib/bpm/mod.ts";
import { maskerOf, parseEnvFile } from "../../lib/services/mod.ts";

const MINUTE_MS = 60_000;
const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

Deno.test("statusText() has upstream's lines, in both modes", () => {
  const text = statusText("dev", 125 * MINUTE_MS, [
    {
      name: "api",
      state: "running",
      startedMs: AT - 61 * MINUTE_MS,
      events: [
        { kind: "started", timeMs: AT },
        { kind: "crashed", timeMs: AT - 1_000, code: 101 },
        { kind: "crashed", timeMs: AT - 2_000 },
        { kind: "stopped", timeMs: AT - 3_000, code: 143 },
        { kind: "started", timeMs: AT - 4_000 },
        { kind: "started", timeMs: AT - 5_000 },
      ],
      crashes: 2,
    },
    { name: "web", state: "idle", events: [], crashes: 0 },
  ], AT);
  strictEqual(
    text,
    `Mode: Dev
Time until release mode: 2 hours 5 minutes

Processes:
  api: running
    Uptime: 1 hours 1 minutes
    Recent events:
      - Started at 2026-01-02 03:04:05 UTC
      - Crashed at 2026-01-02 03:04:04 UTC (exit code: Some(101))
      - Crashed at 2026-01-02 03:04:03 UTC (exit code: None)
      - Stopped at 2026-01-02 03:04:02 UTC
      - Started at 2026-01-02 03:04:01 UTC
    Crash count: 2
  web: idle`,
  );
  strictEqual(statusText("release", 0, [], AT), "Mode: Release\nCurrently in release mode\n\nProcesses:");
});

Deno.test("parseEnvFile(): names, quotes, comments, and the line that is none of them", () => {
  const text = `# comment
A=1
export B = two words # why
C='single # kept'
D="line\\nnext \\"quoted\\""

E=`;
  deepStrictEqual(parseEnvFile(text, ".env"), {
    A: "1",
    B: "two words",
    C: "single # kept",
    D: 'line\nnext "quoted"',
    E: "",
  });
  throws(() => parseEnvFile("A=1\nnot a variable", ".env"), /\.env:2: expected NAME=value/);
});

Deno.test("maskerOf() hides secrets as they stand in addresses and JSON, and line by line", () => {
  const value = 'p@ss/w"ord \\ +1';
  const key = "-----BEGIN KEY-----\nMIIEabcdefgh\r\n  MIIEijklmnop\n";
  const mask = maskerOf([value, key, "\ud800broken"]);
  const cases: [string, string][] = [
    [`url http://u:${encodeURIComponent(value)}@host/`, "url http://u:***@host/"],
    [`form ${new URLSearchParams({ value })}`, "form value=***"],
    [`json ${JSON.stringify({ value, key })}`, 'json {"value":"***","key":"***"}'],
    ["a line of it: MIIEijklmnop", "a line of it: ***"],
    ["MIIEabcdefgh", "***"],
  ];
  for (const [text, expected] of cases) strictEqual(mask(text), expected);
});

Deno.test("maskerOf() hides secrets, the longest first, and leaves short values alone", () => {
  const mask = maskerOf(["hunter22", "hunter22-and-more", "1", "a+b(c)d"]);
  strictEqual(mask("x hunter22-and-more hunter22 1 a+b(c)d"), "x *** *** 1 ***");
});

const PACKAGE = {
  id: "a",
  name: "server",
  manifest_path: "/p/Cargo.toml",
  default_run: null,
  targets: [{ name: "server", kind: ["bin"] }, { name: "lib", kind: ["lib"] }],
};
const TOOL = {
  ...PACKAGE,
  id: "b",
  name: "tool",
  manifest_path: "/p/tool/Cargo.toml",
  targets: [{ name: "one", kind: ["bin"] }, { name: "two", kind: ["bin"] }],
};
const metadata = (
  ...packages: (typeof PACKAGE | (Omit<typeof PACKAGE, "default_run"> & { default_run: string }))[]
) => {
  return { target_directory: "/t", packages };
};

Deno.test("chooseTarget() takes what cargo run would, and names the choice where there is one", () => {
  const target = (bin: string, name = "server") => ({ package: name, bin, targetFolder: "/t" });
  deepStrictEqual(chooseTarget(metadata(PACKAGE, TOOL), "/p", {}), target("server"));
  deepStrictEqual(
    chooseTarget(metadata(PACKAGE, TOOL), "/p", { package: "tool", bin: "two" }),
    target("two", "tool"),
  );
  deepStrictEqual(chooseTarget(metadata(TOOL), "/x", { bin: "one" }), target("one", "tool"));
  deepStrictEqual(
    chooseTarget(metadata({ ...TOOL, default_run: "two" }), "/x", {}),
    target("two", "tool"),
  );
  deepStrictEqual(
    chooseTarget({ ...metadata(PACKAGE, TOOL), workspace_default_members: ["a"] }, "/ws", {}),
    target("server"),
  );
  throws(
    () => chooseTarget(metadata(PACKAGE, TOOL), "/ws", {}),
    /several packages.* set "package" to one of server, tool/,
  );
  throws(() => chooseTarget(metadata(TOOL), "/p/tool", {}), /several binaries; set "bin" to one of one, two/);
  throws(
    () => chooseTarget(metadata(PACKAGE), "/p", { bin: "no" }),
    /no binary "no"; set "bin" to one of server/,
  );
  throws(
    () => chooseTarget(metadata(), "/p", { package: "no" }),
    /no package "no" has a binary; .* one of none/,
  );
});

Deno.test("stateFolder(): projects of one name are told apart, and the path stays short", async () => {
  const env = { HOME: "/home/x", XDG_STATE_HOME: undefined, uid: 1000 };
  const [one, other] = [await stateFolder("/a/app", env), await stateFolder("/b/app", env)];
  strictEqual(one.replace(/[0-9a-f]{8}$/, "#"), "/home/x/.local/state/hostkit/bpm/app-#");
  strictEqual(one === other, false);
  const long = await stateFolder(`/a/${"n".repeat(200)}`, { ...env, XDG_STATE_HOME: "/s" });
  strictEqual(long.length, "/s/hostkit/bpm/".length + 24 + 1 + 8);
  strictEqual(
    (await stateFolder("/a", { HOME: undefined, XDG_STATE_HOME: undefined, uid: 0 })).slice(0, 9),
    "/var/lib/",
  );
});

Deno.test("expandTexts() replaces variables in all texts, with defaults, and names what is not set", () => {
  const value = { a: ["${A} and $$A", "${B:-two}"], b: 1, c: { d: "${A:-x}" }, e: "$A" };
  deepStrictEqual(expandTexts(value, { A: "one" }), {
    a: ["one and $A", "two"],
    b: 1,
    c: { d: "one" },
    e: "$A",
  });
  throws(() => expandTexts("${NO}", {}), /Cannot expand "\$\{NO\}": NO is not set/);
});
