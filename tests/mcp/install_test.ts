import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import {
  CLIENT_APPS,
  type ClientApp,
  installServer,
  serverSnippet,
  uninstallServer,
} from "../../lib/mcp/mod.ts";
import { withoutServer, withServer } from "../../lib/mcp/install.ts";
import { readJsonTree } from "../../lib/mcp/json_tree.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";

const COMMAND = { kind: "command", command: "/opt/bpm", args: ["mcp", "--dir", "."] } as const;
const URL_ENTRY = {
  kind: "http",
  url: "http://localhost:3001/mcp",
  headers: { Authorization: "Bearer x" },
} as const;

function app(id: string): ClientApp {
  return CLIENT_APPS.find((each) => each.id === id)!;
}

async function inFolder(body: (places: { home: string; project: string }) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "hostkit-mcp-" });
  try {
    await Deno.mkdir(`${root}/home`);
    await Deno.mkdir(`${root}/project`);
    await body({ home: `${root}/home`, project: `${root}/project` });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const EXPECTED: Record<string, [file: string, command: string, url: string]> = {
  claude: [
    "home/.claude.json",
    '{"mcpServers":{"bpm":{"type":"stdio","command":"/opt/bpm","args":["mcp","--dir","."]}}}',
    '{"mcpServers":{"bpm":{"type":"http","url":"http://localhost:3001/mcp","headers":{"Authorization":"Bearer x"}}}}',
  ],
  "claude-project": [
    "project/.mcp.json",
    '{"mcpServers":{"bpm":{"type":"stdio","command":"/opt/bpm","args":["mcp","--dir","."]}}}',
    '{"mcpServers":{"bpm":{"type":"http","url":"http://localhost:3001/mcp","headers":{"Authorization":"Bearer x"}}}}',
  ],
  cursor: [
    "home/.cursor/mcp.json",
    '{"mcpServers":{"bpm":{"command":"/opt/bpm","args":["mcp","--dir","."]}}}',
    '{"mcpServers":{"bpm":{"url":"http://localhost:3001/mcp","headers":{"Authorization":"Bearer x"}}}}',
  ],
  vscode: [
    "project/.vscode/mcp.json",
    '{"servers":{"bpm":{"type":"stdio","command":"/opt/bpm","args":["mcp","--dir","."]}}}',
    '{"servers":{"bpm":{"type":"http","url":"http://localhost:3001/mcp","headers":{"Authorization":"Bearer x"}}}}',
  ],
  codex: [
    "home/.codex/config.toml",
    '[mcp_servers.bpm]\ncommand = "/opt/bpm"\nargs = [ "mcp", "--dir", "." ]\n',
    '[mcp_servers.bpm]\nurl = "http://localhost:3001/mcp"\n\n' +
    '[mcp_servers.bpm.http_headers]\nAuthorization = "Bearer x"\n',
  ],
};

for (const each of CLIENT_APPS) {
  Deno.test(`a server is entered in the file of ${each.id}, replaced and taken out`, async () => {
    await inFolder(async (places) => {
      const [file, command, url] = EXPECTED[each.id]!;
      const path = places.home.replace(/home$/, file);
      const written = async () => {
        const text = await Deno.readTextFile(path);
        return each.format === "toml" ? text : JSON.stringify(JSON.parse(text));
      };
      deepStrictEqual(await installServer(each, "bpm", COMMAND, places), { file: path, change: "added" });
      strictEqual(await written(), command);
      strictEqual((await Deno.stat(path)).mode! & 0o777, 0o600);
      const again = await installServer(each, "bpm", COMMAND, places);
      deepStrictEqual(again, { file: path, change: "unchanged" });
      const other = await installServer(each, "bpm", URL_ENTRY, places);
      deepStrictEqual(other, { file: path, change: "replaced" });
      strictEqual(await written(), url);
      deepStrictEqual(await uninstallServer(each, "bpm", places), { file: path, change: "removed" });
      strictEqual(await written(), each.format === "toml" ? "" : JSON.stringify({ [each.parent]: {} }));
      const gone = await uninstallServer(each, "bpm", places);
      deepStrictEqual(gone, { file: path, change: "unchanged" });
    });
  });

  Deno.test(`the snippet for ${each.id} is what would be entered`, () => {
    const [, command, url] = EXPECTED[each.id]!;
    for (const [entry, expected] of [[COMMAND, command], [URL_ENTRY, url]] as const) {
      const text = serverSnippet(each, "bpm", entry);
      strictEqual(each.format === "toml" ? text : JSON.stringify(JSON.parse(text)), expected);
      ok(text.endsWith("\n"));
    }
  });
}

/** Texts that are kept to the byte, and what they are with the server in them. */
const EDITS: [name: string, client: string, before: string, after: string][] = [
  [
    "big numbers, odd blanks and order",
    "claude",
    '{ "n": 12345678901234567890,  "mcpServers": { "a": {"x":1.0} }, "z": [1,\n 2] }',
    '{ "n": 12345678901234567890,  "mcpServers": { "a": {"x":1.0},\n  "bpm": {\n    "type": "stdio",\n    "command": "c",\n    "args": []\n  }\n }, "z": [1,\n 2] }',
  ],
  [
    "tabs",
    "claude",
    '{\n\t"mcpServers": {\n\t\t"a": {}\n\t}\n}\n',
    '{\n\t"mcpServers": {\n\t\t"a": {},\n\t\t"bpm": {\n\t\t\t"type": "stdio",\n\t\t\t"command": "c",\n\t\t\t"args": []\n\t\t}\n\t}\n}\n',
  ],
  [
    "line ends of other systems",
    "claude",
    '{\r\n  "mcpServers": {}\r\n}\r\n',
    '{\r\n  "mcpServers": {\r\n    "bpm": {\r\n      "type": "stdio",\r\n      "command": "c",\r\n      "args": []\r\n    }\r\n  }\r\n}\r\n',
  ],
  [
    "comments and a last comma",
    "vscode",
    '{\n  // mine\n  "servers": {\n    "a": {}, // keep\n  },\n}\n',
    '{\n  // mine\n  "servers": {\n    "a": {}, // keep\n    "bpm": {\n      "type": "stdio",\n      "command": "c",\n      "args": []\n    }\n  },\n}\n',
  ],
  [
    "tables before and after",
    "codex",
    'model = "x" # mine\n\n[mcp_servers.a]\ncommand = "a"\n\n[mcp_servers.bpm_other]\ncommand = "o"\n',
    'model = "x" # mine\n\n[mcp_servers.a]\ncommand = "a"\n\n[mcp_servers.bpm_other]\ncommand = "o"\n\n[mcp_servers.bpm]\ncommand = "c"\nargs = []\n',
  ],
];

const SMALL = { kind: "command", command: "c", args: [] } as const;

for (const [name, client, before, after] of EDITS) {
  Deno.test(`entering a server keeps every byte of the others: ${name}`, () => {
    const entered = withServer(app(client), before, "bpm", SMALL);
    strictEqual(entered.text.replaceAll(/args = \[\s*\]/g, "args = []"), after);
    strictEqual(entered.change, "added");
    const removed = withoutServer(app(client), entered.text, "bpm").text;
    // A file in one line, a comma and a blank line may differ; what they mean must not.
    const meaning = (text: string) =>
      client === "codex" ? text.trimEnd() : readJsonTree(text, { comments: true }).value;
    deepStrictEqual(meaning(removed), meaning(before));
  });
}

Deno.test("a server in the middle is taken out alone, comments of the others stay", () => {
  const text =
    '{\n  "servers": {\n    "a": {}, // one\n    "bpm": { "x": [1, 2] },\n    /* two */ "b": {}\n  }\n}\n';
  const { text: after } = withoutServer(app("vscode"), text, "bpm");
  strictEqual(after, '{\n  "servers": {\n    "a": {}, // one\n    /* two */ "b": {}\n  }\n}\n');
  const last = withoutServer(app("vscode"), '{"servers":{"a":{},"bpm":{}}}', "bpm").text;
  deepStrictEqual(JSON.parse(last), { servers: { a: {} } });
  const table =
    '[mcp_servers.bpm]\ncommand = "c"\n[mcp_servers.bpm.env]\nA = "1"\n[mcp_servers.z]\ncommand = "z"\n';
  strictEqual(withoutServer(app("codex"), table, "bpm").text, '[mcp_servers.z]\ncommand = "z"\n');
});

/** Files that are refused, and what the message says of them. */
const DAMAGED: [client: string, text: string, says: RegExp][] = [
  [
    "claude",
    '{"mcpServers": {"a": }}',
    /\.claude\.json: line 1, column 22: expected a value; nothing was written/,
  ],
  ["claude", '{"a": 1,\n "b" 2}', /line 2, column 6: expected :/],
  ["claude", '{"a": 1', /line 1, column 8: expected , or }/],
  ["claude", '{"a": 1} x', /line 1, column 10: text after the end/],
  ["claude", '{"a": 1,}', /a comma before }/],
  ["claude", '{"a": [1,]}', /a comma before \]/],
  ["claude", '{"a": [1 2]}', /expected , or \]/],
  ["claude", "{a: 1}", /expected a key in "/],
  ["claude", '{"a": 1.2.3}', /1\.2\.3 is no value/],
  ["claude", '// no\n{"a": 1}', /line 1, column 1: expected a value/],
  ["claude", "[1]", /the document is no object/],
  ["claude", '{"mcpServers": []}', /"mcpServers" is no object/],
  ["claude", '{"mcpServers": {"bpm": 1, "bpm": 2}}', /"mcpServers" has the key "bpm" twice/],
  ["claude", `{"a": ${"[".repeat(300)}`, /more than 256 levels/],
  ["codex", "a = ", /config\.toml: line 1, column \d+: /],
  ["codex", "mcp_servers = 1", /"mcp_servers" is no table/],
  ["codex", 'mcp_servers = { a = { command = "x" } }', /: /],
];

for (const [client, text, says] of DAMAGED) {
  Deno.test(`a file that cannot be changed safely is left as it is: ${client} ${text.slice(0, 30)}`, async () => {
    await inFolder(async (places) => {
      const file = app(client).file(places);
      await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(file, text);
      await rejects(installServer(app(client), "bpm", COMMAND, places), says);
      strictEqual(await Deno.readTextFile(file), text);
      const names = [...Deno.readDirSync(file.slice(0, file.lastIndexOf("/")))].map(({ name }) => name);
      deepStrictEqual(names, [file.slice(file.lastIndexOf("/") + 1)]);
    });
  });
}

Deno.test("the mode of a file stays, and a link stays a link", async () => {
  await inFolder(async (places) => {
    const real = `${places.project}/dotfiles.json`;
    await Deno.writeTextFile(real, "{}\n");
    await Deno.chmod(real, 0o640);
    await Deno.symlink(real, `${places.home}/.claude.json`);
    await installServer(app("claude"), "bpm", COMMAND, places);
    ok((await Deno.lstat(`${places.home}/.claude.json`)).isSymlink);
    strictEqual((await Deno.stat(real)).mode! & 0o777, 0o640);
    ok((await Deno.readTextFile(real)).includes("/opt/bpm"));
  });
});

Deno.test("a file that is no text is refused", async () => {
  await inFolder(async (places) => {
    await Deno.writeFile(`${places.home}/.claude.json`, Uint8Array.of(0xff, 0xfe, 0x00));
    await rejects(installServer(app("claude"), "bpm", COMMAND, places), /it is not UTF-8/);
  });
});

Deno.test("an empty file is as none", async () => {
  await inFolder(async (places) => {
    await Deno.writeTextFile(`${places.home}/.claude.json`, "");
    strictEqual((await installServer(app("claude"), "bpm", COMMAND, places)).change, "added");
  });
});

Deno.test("a name that clients do not take is refused", () => {
  throws(() => serverSnippet(app("claude"), "a b", COMMAND), /Cannot use "a b" as a server's name/);
  throws(() => installServer(app("claude"), "", COMMAND, { home: "/", project: "/" }), /Cannot use ""/);
});

Deno.test("whatever the file holds, entering and taking out changes nothing else", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const value = (depth: number): unknown => {
    const kind = random.below(depth > 3 ? 4 : 6);
    if (kind === 0) return random.below(1e9) / 7;
    if (kind === 1) return ["", 'x"\\\n', "/* no */ // no", "\u{1f600}"][random.below(4)];
    if (kind === 2) return [true, false, null][random.below(3)];
    if (kind === 3) return random.below(2) === 0 ? {} : [];
    const list = Array.from({ length: random.below(4) }, () => value(depth + 1));
    return kind === 4 ? list : Object.fromEntries(list.map((each, index) => [`k${index}`, each]));
  };
  for (let round = 0; round < 500; round++) {
    const servers = Object.fromEntries(
      Array.from({ length: random.below(3) }, (_, index) => [`s${index}`, value(1)]),
    );
    const document: Record<string, unknown> = {
      a: value(0),
      ...(random.below(3) > 0 ? { mcpServers: servers } : {}),
      z: value(0),
    };
    const text = JSON.stringify(document, null, [undefined, 1, 2, 4, "\t"][random.below(5)]);
    const entered = withServer(app("claude"), text, "bpm", COMMAND).text;
    const expected = {
      ...document,
      mcpServers: { ...(document.mcpServers as object | undefined), bpm: app("claude").value(COMMAND) },
    };
    deepStrictEqual(JSON.parse(entered), expected, `seed ${seed}: ${text}`);
    const removed: { mcpServers: unknown } = JSON.parse(withoutServer(app("claude"), entered, "bpm").text);
    deepStrictEqual(removed, { ...document, mcpServers: document.mcpServers ?? {} }, `seed ${seed}: ${text}`);
  }
});
