/** Command lines: parsing, help, completion, manual pages, exit codes. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import {
  command,
  completionScript,
  flagName,
  helpText,
  manPage,
  option,
  parseWords,
  runTool,
  SHELLS,
  UsageError,
  withCommon,
} from "../../lib/cli/mod.ts";
import { duration, integer, optionalText, text, toggle } from "../../lib/config/mod.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { exists } from "../../lib/build/step.ts";
import { main } from "../../cmd/rezolus/main.ts";
import { withCommand } from "../../cmd/rezolus/words.ts";

const seen: unknown[] = [];
const record = command({
  name: "record",
  summary: "record something",
  description: "The first paragraph.\n\nThe second.",
  positionals: [{ name: "URL", help: "from where" }, {
    name: "OUT",
    help: "whereto",
    optional: true,
    complete: "file",
  }],
  options: {
    interval: option(duration({ help: "How often.", fallback: "1s" }), { value: "DURATION", short: "i" }),
    maxPoints: option(integer({ help: "How many.", fallback: 10, min: 1, max: 100 }), { value: "N" }),
    label: option(optionalText({ help: "A label.", example: "a" }), { value: "TEXT", multiple: true }),
    format: option(text({ help: "As what.", fallback: "rez", oneOf: ["rez", "raw"] }), {
      value: "FORMAT",
      complete: ["rez", "raw"],
    }),
    verbose: option(toggle({ help: "Says more.", fallback: false }), { short: "v" }),
  },
  rest: "COMMAND",
  examples: [["tool record x", "Record x"]],
  run(call) {
    seen.push(call);
    return Promise.resolve(call.args[0] === "fail" ? 3 : 0);
  },
});
const tool = command({
  name: "tool",
  summary: "does things",
  commands: [record, command({ name: "empty", summary: "holds more", commands: [record] })],
});
const INFO = { version: "1.2.3", details: ["commit abc"] };

Deno.test("parseWords() finds the command, its options in every form, positions and the words behind --", () => {
  const found = parseWords(tool, [
    "record",
    "-v",
    "--interval=250ms",
    "--max-points",
    "7",
    "--label",
    "a",
    "--label",
    "b",
    "url",
    "--",
    "make",
    "-j8",
  ]);
  strictEqual(found.path.at(-1), record);
  deepStrictEqual(found.options, {
    interval: 250,
    maxPoints: 7,
    label: ["a", "b"],
    format: "rez",
    verbose: true,
  });
  deepStrictEqual([found.args, found.rest, found.wants], [["url", undefined], ["make", "-j8"], "run"]);
  deepStrictEqual(parseWords(tool, ["record", "-i", "2s", "u", "o"]).options.interval, 2_000);
  for (
    const [words, wants] of [[["--help"], "help"], [["record", "-h"], "help"], [["-V"], "version"], [
      [],
      "help",
    ]] as const
  ) {
    strictEqual(parseWords(tool, words).wants, wants);
  }
});

Deno.test("parseWords() takes the first word as the begin of a command line where there are no positions", () => {
  const options = {
    height: option(integer({ help: "Lines.", fallback: 1, min: 1, max: 9 }), { value: "N" }),
  };
  const run = command({
    name: "run",
    summary: "runs",
    rest: "COMMAND",
    options,
    run: () => Promise.resolve(0),
  });
  const parse = (...words: string[]) => {
    const { options, rest, wants } = parseWords(run, words);
    return [options["height"], rest, wants];
  };
  const wanted = [7, ["make", "--height", "2", "--help", "--", "x"], "run"];
  deepStrictEqual(parse("--height", "7", "make", "--height", "2", "--help", "--", "x"), wanted);
  deepStrictEqual(parse("--height", "7", "--", "make", "--height", "2", "--help", "--", "x"), wanted);
  deepStrictEqual(parse("--help", "make"), [undefined, [], "help"]);
  throws(() => parse("--heihgt=2", "make"), /unknown option "--heihgt"; did you mean "--height"\?/);
});

Deno.test("parseWords() names what is wrong and what was probably meant", () => {
  const cases: [string[], RegExp][] = [
    [["recrod"], /unknown command "recrod"; did you mean "record"\?/],
    [["xyzzy"], /^unknown command "xyzzy"$/],
    [["record"], /missing URL: from where/],
    [["record", "a", "b", "c"], /unknown argument "c"/],
    [["record", "a", "--intervall", "1s"], /unknown option "--intervall"; did you mean "--interval"\?/],
    [["record", "a", "--interval"], /option --interval needs a value: a duration/],
    [["record", "a", "--interval", "soon"], /option --interval is "soon", expected a duration such as "1s"/],
    [["record", "a", "--max-points", "101"], /expected a whole number from 1 to 100/],
    [["record", "a", "--verbose=yes"], /option --verbose takes no value, found "yes"/],
    [["record", "a", "--format", "csv"], /expected one of "rez", "raw"/],
    [["empty", "--", "x"], /unknown command "x"/],
  ];
  for (const [words, expected] of cases) {
    throws(() => parseWords(tool, words), (error: Error) => {
      ok(error instanceof UsageError);
      match(error.message, expected);
      return true;
    });
  }
});

Deno.test("help shows usage, options with defaults, and examples, within its width", () => {
  const help = helpText([tool, record], { width: 80 });
  for (
    const part of [
      "tool record [OPTIONS] URL [OUT] [-- COMMAND…]",
      "-i, --interval DURATION",
      "[default: 1s]",
      "May be given several times.",
      "The second.",
      "# Record x",
    ]
  ) {
    ok(help.includes(part), part);
  }
  ok(help.split("\n").every((line) => line.length <= 80));
  ok(!help.includes("\x1b["));
  ok(helpText([tool], { colour: true }).includes("\x1b[1mCommands\x1b[0m"));
  strictEqual(flagName("maxPoints"), "max-points");
  strictEqual(flagName("max_points"), "max-points");
});

Deno.test("completion scripts name every command, flag and choice, and bash completes with its own", async () => {
  const full = withCommon(tool, INFO);
  for (const shell of SHELLS) {
    const script = completionScript(full, shell);
    for (const word of ["record", "max-points", "empty"]) ok(script.includes(word), `${shell}: ${word}`);
  }
  const complete = async (words: string[]) => {
    const list = words.map((word) => `'${word}'`).join(" ");
    const code = `${
      completionScript(full, "bash")
    }\nCOMP_WORDS=(tool ${list}); COMP_CWORD=${words.length}; _tool; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, success } = await new Deno.Command("bash", { args: ["-c", code] }).output();
    ok(success);
    return new TextDecoder().decode(stdout).trim().split("\n");
  };
  deepStrictEqual(await complete(["rec"]), ["record"]);
  deepStrictEqual(await complete(["record", "--max"]), ["--max-points"]);
  deepStrictEqual(await complete(["record", "--format", "r"]), ["rez", "raw"]);
});

const many = command({
  name: "tool",
  summary: "takes many",
  positionals: [{
    name: "NAME",
    help: "which",
    optional: true,
    many: true,
    complete: { command: "echo red rose" },
  }],
  run: () => Promise.resolve(0),
});

Deno.test("a last argument may take all words that are left, and says so in the usage", () => {
  deepStrictEqual(parseWords(many, ["a", "b", "c"]).args, ["a", "b", "c"]);
  deepStrictEqual(parseWords(many, []).args, [undefined]);
  match(helpText([many]), /tool \[OPTIONS\] \[NAME…\]/);
});

Deno.test("words that only the moment knows are completed by a command", async () => {
  const code = `${
    completionScript(many, "bash")
  }\nCOMP_WORDS=(tool r); COMP_CWORD=1; _tool; echo "\${COMPREPLY[@]}"`;
  const { stdout } = await new Deno.Command("bash", { args: ["-c", code] }).output();
  strictEqual(new TextDecoder().decode(stdout), "red rose\n");
  match(completionScript(many, "fish"), /-a '\(echo red rose 2>\/dev\/null\)'/);
});

Deno.test({
  name: "the manual page is roff that man accepts",
  ignore: !exists("/usr/bin/groff"),
  async fn() {
    const child = new Deno.Command("groff", {
      args: ["-man", "-Tutf8", "-ww"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(manPage(tool, INFO)));
    await writer.close();
    const { success, stderr } = await child.output();
    deepStrictEqual([success, new TextDecoder().decode(stderr)], [true, ""]);
  },
});

Deno.test("the manual page has every command and flag, and dashes that can be copied", () => {
  const page = manPage(tool, INFO);
  match(page, /^\.TH TOOL 1/);
  ok(page.includes("\\-\\-max\\-points N") && page.includes(".SH TOOL RECORD"));
});

Deno.test("runTool() gives the command's code, 2 for a wrong call, 1 for a failure", async () => {
  seen.length = 0;
  strictEqual(await runTool(tool, INFO, ["record", "url"]), 0);
  strictEqual(await runTool(tool, INFO, ["record", "fail"]), 3);
  strictEqual(seen.length, 2);
  const error = console.error;
  const said: string[] = [];
  console.error = (line: string) => void said.push(line);
  try {
    strictEqual(await runTool(tool, INFO, ["nothing"]), 2);
    const broken = command({
      name: "tool",
      summary: "x",
      run: () => Promise.reject(new Error("the disk is full")),
    });
    strictEqual(await runTool(broken, INFO, []), 1);
    const hostile = command({
      name: "tool",
      summary: "x",
      run: () => Promise.reject(new Error("Cannot open \x1b]0;title\x07\x1b[2Ja\nb\x9b")),
    });
    strictEqual(await runTool(hostile, INFO, []), 1);
    const twice = command({
      name: "view",
      summary: "x",
      run: () => Promise.reject(new UsageError("the address is given twice")),
    });
    strictEqual(await runTool(command({ name: "tool", summary: "x", commands: [twice] }), INFO, ["view"]), 2);
  } finally {
    console.error = error;
  }
  deepStrictEqual(said, [
    'tool: unknown command "nothing"',
    'Try "tool --help".',
    "tool: the disk is full",
    "tool: Cannot open a\nb",
    "tool: the address is given twice",
    'Try "tool view --help".',
  ]);
});

Deno.test("a tool whose output nobody reads any more ends well and says nothing", async () => {
  const [program, ...words] = toolCommand("nix-btm");
  // The reader has ended before the tool begins.
  const script = 'exec 3> >(:); wait $!; "$@" >&3';
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", program, ...words, "man"],
  }).output();
  deepStrictEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
});

Deno.test("withCommand() knows the forms in which the original's programs were called", () => {
  const known = ["agent", "record"];
  const cases: [string[], string[]][] = [
    [[], ["agent"]],
    [["agent.toml"], ["agent", "agent.toml"]],
    [["/etc/rezolus"], ["agent", "/etc/rezolus"]],
    [["--listen", "x"], ["agent", "--listen", "x"]],
    [["record", "u", "o"], ["record", "u", "o"]],
    [["--help"], ["--help"]],
    [["recrod"], ["recrod"]],
  ];
  for (const [words, expected] of cases) deepStrictEqual(withCommand(words, known), expected);
});

Deno.test("rezolus status says whom it asked, and that what answered is no agent", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ url }) => url.includes("/json/") ? Response.json({ state: "fine" }) : new Response("hello"),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const error = console.error;
  const said: string[] = [];
  console.error = (line: string) => void said.push(line);
  try {
    deepStrictEqual([await main(["status", url]), await main(["status", `${url}/json`])], [1, 1]);
  } finally {
    console.error = error;
    await server.shutdown();
  }
  deepStrictEqual(said, [
    `rezolus: Cannot read state of agent ${url}: its answer begins "hello", expected samplers`,
    `rezolus: Cannot read state of agent ${url}/json: its answer begins "{\\"state\\":\\"fine\\"}", expected samplers`,
  ]);
});
