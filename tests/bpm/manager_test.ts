/** Projects of `.mcp-run` under a real manager: real cargo, real npm, crash loops and both modes. */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import { Project } from "./_project.ts";

const never = new AbortController().signal;
const HAS_CARGO = await has("cargo");
const HAS_NPM = await has("npm");

async function has(program: string): Promise<boolean> {
  return await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
}

const MAIN = `use std::{env, io::Write, thread, time::Duration};
fn main() {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!("VERSION {} {:?}", build, env::args().skip(1).collect::<Vec<_>>());
    eprintln!("to stderr");
    std::io::stdout().flush().unwrap();
    if std::path::Path::new("crash").exists() { std::process::exit(7) }
    loop { thread::sleep(Duration::from_secs(60)) }
}
`;
const CARGO = `[package]
name = "hello"
version = "0.1.0"
edition = "2021"
`;

Deno.test({
  name: "a rust crate: release build, restart in dev mode, crash loop, and back to release when nobody asks",
  ignore: !HAS_CARGO,
  fn: async () => {
    await using project = new Project({
      "Cargo.toml": CARGO,
      "src/main.rs": MAIN.replace("VERSION", "one"),
      ".mcp-run": `mcp_port = 0
dev_crash_wait_seconds = 0
release_crash_backoff_initial_seconds = 0
[process.hello]
type = "rust"
args = ["--flag", "x"]
`,
    });
    const { manager } = project;
    await manager.start(never);
    strictEqual(manager.mode, "release");
    const said = (text: string) => async () =>
      (await project.call("search_logs", { process: "hello" })).includes(text);
    await project.until("its first line", said('one release ["--flag", "x"]'));
    match(
      await project.call("search_build_log", { process: "hello", pattern: "Finished" }),
      /^ \*.*Finished `?release/m,
    );
    strictEqual(
      await project.call("search_logs", { process: "hello", pattern: "std" }),
      " * [stderr] to stderr",
    );

    // A build that fails leaves the old one alone, and says where to look.
    Deno.writeTextFileSync(`${project.folder}/src/main.rs`, "fn main() { nonsense }");
    await rejects(
      project.call("restart", { process: "hello" }),
      /could not be replaced, the one before runs on/,
    );
    strictEqual(manager.mode, "dev");
    match(
      await project.call("search_build_log", { process: "hello", pattern: "^error" }),
      / \* error.*nonsense/,
    );
    match(await project.call("search_logs", { process: "hello" }), /one release/);

    Deno.writeTextFileSync(`${project.folder}/src/main.rs`, MAIN.replace("VERSION", "two"));
    strictEqual(
      await project.call("restart", { process: "hello" }),
      "Process 'hello' restarted successfully in dev mode",
    );
    await project.until("the new program", said("two debug"));
    match(await project.call("search_logs", { process: "hello", index: 0 }), /one release/);
    await rejects(
      project.call("search_logs", { process: "hello", index: 2 }),
      /^ToolError: Log instance 2 not found \(have 2 instances\)$/,
    );

    // A crash loop: built and started again and again, and counted.
    Deno.writeTextFileSync(`${project.folder}/crash`, "");
    // It may have crashed by the time that it is looked at.
    await project.call("restart", { process: "hello" }).catch((error) =>
      match(error.message, /it is backoff \(exit 7\)/)
    );
    await project.until("the third crash", () => /Crash count: [3-9]/.test(manager.statusText()));
    match(manager.statusText(), /- Crashed at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(exit code: Some\(7\)\)/);
    Deno.removeSync(`${project.folder}/crash`);
    await project.until("its recovery", () => manager.service("hello").is("running"));

    // Three hours without a call; one more minute, and the release is built.
    project.nowMs += 3 * 3_600_000;
    manager.checkMode();
    strictEqual(manager.mode, "dev");
    project.nowMs += 1;
    manager.checkMode();
    strictEqual(manager.mode, "release");
    await project.until("the release", said("two release"));
    match(
      await project.call("get_status"),
      /^Mode: Release\nCurrently in release mode\n\nProcesses:\n {2}hello: running/,
    );
  },
});

Deno.test({
  name: "an npm project is run as it says, without a build, and its whole tree ends with it",
  ignore: !HAS_NPM,
  fn: async () => {
    await using project = new Project({
      "package.json": '{"name": "web", "version": "1.0.0", "scripts": {"dev": "node server.js"}}',
      "server.js": 'console.log("pid " + process.pid); setInterval(() => {}, 1000);',
      ".mcp-run": '[process.web]\ntype = "npm"\ncommand = ["npm", "run", "dev"]\n',
    });
    Deno.writeTextFileSync(
      `${project.folder}/.mcp-run`,
      `mcp_port = 0\n${Deno.readTextFileSync(`${project.folder}/.mcp-run`)}`,
    );
    const { manager } = project;
    await manager.start(never);
    const pid = async () =>
      Number(/pid (\d+)/.exec(await project.call("search_logs", { process: "web" }))?.[1] ?? 0);
    await project.until("its first line", async () => await pid() > 0);
    const first = await pid();
    strictEqual(
      await project.call("search_build_log", { process: "web" }).catch(String),
      "ToolError: Log instance -1 not found (have 0 instances)",
    );
    await project.call("restart", { process: "web" });
    strictEqual(processStart(first), 0n, "node, a grandchild, is gone too");
    await project.until("its second line", async () => await pid() > 0);
    const second = await pid();
    strictEqual(await project.call("stop", { process: "web" }), "Process 'web' stopped");
    strictEqual(processStart(second), 0n);
    match(await project.call("get_status"), /web: idle/);
    strictEqual(await project.call("start", { process: "web" }), "Process 'web' started");
  },
});

Deno.test("secrets of environment files stand in no answer, and input reaches whom it is for", async () => {
  await using project = new Project({
    ".env": "API_KEY=geheim-123456\nPORT=8080\n",
    ".mcp-run": `mcp_port = 0
[process.echo]
command = ["sh", "-c", "echo key $API_KEY port $PORT; exec cat"]
env_file = [".env"]
stdin = true
[process.mute]
command = ["sleep", "60"]
autostart = false
`,
  });
  const { manager } = project;
  await manager.start(never);
  await project.until(
    "its line",
    async () => (await project.call("search_logs", { process: "echo" })).includes("key"),
  );
  strictEqual(await project.call("search_logs", { process: "echo" }), "key *** port 8080");
  strictEqual(
    await project.call("send", { process: "echo", text: "hello\n" }),
    "Sent 6 characters to 'echo'",
  );
  await project.until(
    "the echo",
    async () => (await project.call("search_logs", { process: "echo" })).includes("hello"),
  );
  strictEqual(manager.service("mute").state.kind, "idle");
  await project.call("start", { process: "mute" });
  await rejects(project.call("send", { process: "mute", text: "x" }), /takes no input: set "stdin" or "tty"/);
  await rejects(
    project.call("restart", { process: "nobody" }),
    /Process 'nobody' not found \(there are: echo, mute\)/,
  );
});

Deno.test("a pattern that takes too long is refused, and the next search is answered", async () => {
  await using project = new Project({
    ".mcp-run": `mcp_port = 0
[process.a]
command = ["sh", "-c", "head -c 60000 /dev/zero | tr '\\\\0' a; echo; echo ab; exec sleep 60"]
`,
  });
  project.searchLimitMs = 3_000;
  const { manager } = project;
  await manager.start(never);
  await project.until(
    "its lines",
    async () => (await project.call("search_logs", { process: "a" })).includes("ab"),
  );
  // As much as a pattern may be, on a line that is as long as lines are.
  const [slow, next] = await Promise.allSettled([
    project.call("search_logs", { process: "a", pattern: "(?:a?){4900}c" }),
    project.call("search_logs", { process: "a", pattern: "b$" }),
  ]);
  match(`${slow.status === "rejected" && slow.reason}`, /Invalid regex pattern: it took longer than 3 s/);
  strictEqual(next.status === "fulfilled" && next.value, " * ab");
  deepStrictEqual(
    await project.call("search_logs", { process: "a", pattern: "(" }).catch(String),
    "ToolError: Invalid regex pattern: Unterminated group",
  );
});
