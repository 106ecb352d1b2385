/** Real projects as people have them: what bpm init writes for them, run by a real manager with real cargo and npm. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { deadline } from "../../lib/async/mod.ts";
import { diskFolder, findProcesses, merge, writeConfig } from "../../lib/bpm/init/mod.ts";
import { freePort } from "../free_port.ts";
import { Project } from "./_project.ts";

const never = new AbortController().signal;
const PATIENCE_MS = 120_000;
const HAS_CARGO = await has("cargo", "--version");
const HAS_NPM = await has("npm", "--version");
const HAS_DIRENV = await has("direnv", "version");

async function has(program: string, word: string): Promise<boolean> {
  return await new Deno.Command(program, { args: [word], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
}

/** A project that begins as `bpm init` finds it. */
class RealProject extends Project {
  /** Writes `.mcp-run`, with keys for the whole file in front; returns it. */
  async init(head = ""): Promise<string> {
    const text = writeConfig(merge(await findProcesses(diskFolder(this.folder))), { port: 1 });
    this.write({ ".mcp-run": `${head}\n${text}` });
    return text;
  }

  /** Resolves when all that starts by itself runs. */
  async start(): Promise<void> {
    using limit = deadline(PATIENCE_MS);
    await this.manager.start(limit.signal);
    ok(!limit.signal.aborted, `not all of it runs: ${this.manager.statusText()}`);
  }

  /** Until a process has said something. */
  async said(process: string, text: string): Promise<void> {
    await this.until(`"${text}" of ${process}`, async () => (await this.#log(process)).includes(text));
  }

  /** The log of its newest instance; nothing while there is none. */
  async #log(process: string): Promise<string> {
    if (this.manager.logs(process, "run").length === 0) return "";
    return await this.call("search_logs", { process });
  }
}

/** Starts, and crashes with one exit code, that `get_status` has told while it was watched. */
class Watched {
  readonly #seen = new Map<string, { readonly kind: string; readonly atS: number }>();
  readonly #code: number;

  constructor(code: number) {
    this.#code = code;
  }

  look(status: string): void {
    for (const [line, kind, at, more] of status.matchAll(/- (Started|Crashed) at (\S+ \S+) UTC(.*)/g)) {
      if (kind === "Crashed" && more !== ` (exit code: Some(${this.#code}))`) continue;
      this.#seen.set(line, { kind: kind!, atS: Date.parse(`${at!.replace(" ", "T")}Z`) / 1_000 });
    }
  }

  /** Whole seconds between a crash and the start after it. */
  get waits(): number[] {
    const rank = ({ kind }: { kind: string }) => kind === "Started" ? 0 : 1;
    const events = [...this.#seen.values()].sort((a, b) => a.atS - b.atS || rank(a) - rank(b));
    const waits: number[] = [];
    for (const [at, { kind, atS }] of events.entries()) {
      const next = events.slice(at + 1).find((each) => each.kind === "Started" && each.atS > atS);
      if (kind === "Crashed" && next !== undefined) waits.push(next.atS - atS);
    }
    return waits;
  }
}

Deno.test({
  name:
    "an npm project that crashes in a loop is started again after waits of 1, 1, 2 s, as get_status shows",
  ignore: !HAS_NPM,
  fn: async () => {
    await using project = new RealProject({
      "package.json": '{"name": "@acme/web", "version": "1.0.0", "scripts": {"dev": "node server.js"}}',
      "package-lock.json": "{}",
      "server.js":
        'console.log("hello"); if (require("fs").existsSync("crash")) process.exit(3); setInterval(() => {}, 1000);',
      "crash": "",
    });
    match(await project.init(), /^\[process\.web\]\ntype = "npm"\ncommand = \["npm", "run", "dev"\]$/m);
    const { manager } = project;
    void manager.start(never);
    const watched = new Watched(3);
    await project.until("the fourth crash", async () => {
      const status = await project.call("get_status");
      watched.look(status);
      return /Crash count: [4-9]/.test(status);
    });
    match(await project.call("get_status"), /- Crashed at \S+ \S+ UTC \(exit code: Some\(3\)\)/);
    const [first = 0, second = 0, third = 0] = watched.waits;
    ok(first >= 1 && second >= 1 && third >= 2, `waits were ${watched.waits}`);
    Deno.removeSync(`${project.folder}/crash`);
    // What is asked for waits for no backoff.
    strictEqual(
      await project.call("restart", { process: "web" }),
      "Process 'web' restarted successfully in dev mode",
    );
    match(await project.call("get_status"), /^Mode: Dev\n[^]*web: running(?![^]*Crash count)/);
  },
});

Deno.test({
  name:
    "in dev mode the first crash of an npm project waits as dev_crash_wait_seconds says, the second one again 1 s",
  ignore: !HAS_NPM,
  fn: async () => {
    await using project = new RealProject({
      "package.json": '{"name": "web", "scripts": {"start": "node server.js"}}',
      "server.js":
        'console.log("up"); setInterval(() => { if (require("fs").existsSync("crash")) process.exit(4); }, 10);',
    });
    await project.init("dev_crash_wait_seconds = 3");
    await project.start();
    await project.call("restart", { process: "web" });
    await project.said("web", "up");
    project.write({ crash: "" });
    const watched = new Watched(4);
    await project.until("the third crash", async () => {
      const status = await project.call("get_status");
      match(status, /^Mode: Dev\nTime until release mode: 3 hours 0 minutes\n/);
      watched.look(status);
      return /Crash count: [3-9]/.test(status);
    });
    // The restart before it began an instance that was stopped, which is no crash.
    const [first = 0, second = 0] = watched.waits;
    ok(first >= 3 && second >= 1, `waits were ${watched.waits}`);
  },
});

/** HTTP without a crate: one answer for each connection, which says how it was built. */
const SERVER = `use std::{env, io::{Read, Write}, net::TcpListener};
fn main() {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let listener = TcpListener::bind(env::args().nth(1).unwrap()).unwrap();
    println!("listening");
    for stream in listener.incoming() {
        let mut stream = match stream { Ok(stream) => stream, Err(_) => continue };
        let mut request = [0; 4096];
        if stream.read(&mut request).unwrap_or(0) == 0 { continue }
        let head = format!("HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: {}\\r\\n\\r\\n", build.len());
        let _ = stream.write_all((head + build).as_bytes());
    }
}
`;

Deno.test({
  name: "a rust server answers every request while its release is built and replaces it after an idle time",
  ignore: !HAS_CARGO,
  fn: async () => {
    const port = freePort();
    await using project = new RealProject({
      "Cargo.toml": '[package]\nname = "server"\nversion = "0.1.0"\nedition = "2021"\n',
      "src/main.rs": SERVER,
    });
    await project.init();
    const keys =
      `args = ["127.0.0.1:${port}"]\nlisten = "127.0.0.1:${port}"\nready = { log = "listening" }\n`;
    project.write({ ".mcp-run": `${Deno.readTextFileSync(`${project.folder}/.mcp-run`)}${keys}` });
    const { manager } = project;
    await project.start();
    await project.call("restart", { process: "server" });
    const service = manager.service("server");

    const client = new AbortController();
    const answers = { debug: 0, release: 0, whileBuilding: 0 };
    const ask = async () => {
      while (!client.signal.aborted) {
        const isBuilding = service.state.kind === "replacing" && service.state.phase === "building";
        const response = await fetch(`http://127.0.0.1:${port}/`);
        const text = await response.text();
        ok(text === "debug" || text === "release", text);
        answers[text]++;
        if (isBuilding && text === "debug") answers.whileBuilding++;
      }
    };
    // A request that fails fails the test.
    const clients = Promise.all([ask(), ask()]);
    await project.until("answers", () => answers.debug > 10);
    project.nowMs += 3 * 3_600_000 + 1;
    manager.checkMode();
    strictEqual(manager.mode, "release");
    await Promise.race([clients, project.until("answers of the release", () => answers.release > 10)]);
    client.abort();
    await clients;
    ok(
      answers.whileBuilding > 0,
      `the old one served while the release was built: ${JSON.stringify(answers)}`,
    );
    match(await project.call("search_build_log", { process: "server", pattern: "Finished" }), /release/);
    match(await project.call("get_status"), /^Mode: Release\n[^]*server: running(?![^]*Crash count)/);
  },
});

const NAMED = `fn main() {
    println!("this is NAME, {}", std::env::current_exe().unwrap().display());
    loop { std::thread::sleep(std::time::Duration::from_secs(60)) }
}
`;
const named = (name: string) => NAMED.replace("NAME", name);
const crate = (name: string, more = "") =>
  `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2021"\n${more}`;

Deno.test({
  name:
    "of a workspace each binary is built and run: by default-run, by [[bin]], by package, in CARGO_TARGET_DIR",
  ignore: !HAS_CARGO,
  fn: async () => {
    await using project = new RealProject({
      "Cargo.toml": '[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n',
      "crates/shop/Cargo.toml": crate(
        "shop",
        'default-run = "server"\n[[bin]]\nname = "server"\npath = "src/odd/place.rs"\n',
      ),
      "crates/shop/src/odd/place.rs": named("server"),
      "crates/shop/src/bin/seeder.rs": named("seeder"),
      "crates/worker/Cargo.toml": crate("worker"),
      "crates/worker/src/main.rs": named("worker"),
      "crates/lib/Cargo.toml": crate("lib"),
      "crates/lib/src/lib.rs": "",
    });
    const written = await project.init();
    deepStrictEqual([...written.matchAll(/^\[process\.(.*)\]$/gm)].map(([, name]) => name), [
      "server",
      "seeder",
      "worker",
    ]);
    const target = `${project.folder}/elsewhere`;
    const text = Deno.readTextFileSync(`${project.folder}/.mcp-run`);
    // As people write it by hand: what is left out is what cargo takes by default.
    const byHand = `[process.shop]\ntype = "rust"\npackage = "shop"\n[process.seeder]\n`;
    project.write({
      ".mcp-run": text.replace("[process.seeder]\n", byHand).replaceAll(
        'type = "rust"',
        `type = "rust"\nenv = { CARGO_TARGET_DIR = "${target}" }`,
      ),
    });
    const { manager } = project;
    await project.start();
    strictEqual(manager.service("seeder").state.kind, "idle", "it does not start by itself");
    await project.said("server", `this is server, ${target}/release/server`);
    await project.said("shop", `this is server, ${target}/release/server`);
    await project.said("worker", `this is worker, ${target}/release/worker`);
    await project.call("restart", { process: "seeder" });
    await project.said("seeder", `this is seeder, ${target}/debug/seeder`);
    ok(
      !(await project.call("search_logs", { process: "worker" })).includes("debug"),
      "only what was asked for is built anew",
    );
  },
});

Deno.test({
  name: "what .envrc sets holds for builds and programs, by direnv",
  ignore: !HAS_DIRENV,
  fn: async () => {
    await using project = new RealProject({
      ".envrc": 'export GREETING="hello from direnv"\n',
      "Procfile": "worker: echo $GREETING to all; exec sleep 1000\n",
    });
    // What direnv allows it remembers: here within the project.
    const env = { XDG_DATA_HOME: `${project.folder}/.data` };
    const args = ["allow", project.folder];
    const allow = new Deno.Command("direnv", { args, env, stdout: "null", stderr: "null" });
    strictEqual((await allow.output()).success, true);
    await project.init();
    const file = `${project.folder}/.mcp-run`;
    const text = Deno.readTextFileSync(file).replace(
      "env = {",
      `env = { XDG_DATA_HOME = "${env.XDG_DATA_HOME}",`,
    );
    project.write({ ".mcp-run": `${text}build = ["sh", "-c", "echo building with $GREETING"]\n` });
    await project.start();
    await project.said("worker", "hello from direnv to all");
    match(await project.call("search_build_log", { process: "worker" }), /building with hello from direnv/);
  },
});

Deno.test("a process-compose project runs in its order, with its environment, replicas and lines that make ready", async () => {
  await using project = new RealProject({
    "process-compose.yaml": `
environment: [ "GREETING=hello" ]
processes:
  api:
    command: echo "$GREETING to $NAME, 5$$ for $REPLICA"; exec sleep 1000
    environment: [ "NAME=\${NOBODY_SETS_THIS:-me}" ]
    depends_on: { queue: { condition: process_log_ready } }
    replicas: 2
  queue:
    command: |
      cat made
      echo 'queue [0] is up'
      exec sleep 1000
    working_dir: ./below
    ready_log_line: "queue [0] is up"
    depends_on: { setup: { condition: process_completed_successfully } }
  setup:
    command: mkdir -p below && echo made by setup > below/made
  job:
    command: echo at night
    schedule: { cron: "0 3 * * *" }
`,
    "below/.keep": "",
  });
  await project.init();
  await project.start();
  const { manager } = project;
  match(await project.call("search_logs", { process: "queue" }), /^made by setup\nqueue \[0\] is up$/);
  await project.said("api.1", "hello to me, 5$ for 1");
  await project.said("api.2", "hello to me, 5$ for 2");
  deepStrictEqual([manager.service("setup").state.kind, manager.service("job").state.kind], [
    "finished",
    "idle",
  ]);
});

/** Notes how it is called, and does of it what the test looks at. */
const DOCKER = `#!/bin/sh
echo "$*" >> calls
case "$*" in
  *" exec "*) test -e healthy ;;
  *" create "*) echo "created" ;;
  *" build "*) echo "building $3" ;;
  *" migrate") echo "migrated" ;;
  *) echo "attached to $7"; trap 'echo "$7 stops"; exit 0' TERM; while :; do sleep 0.05; done ;;
esac
`;

Deno.test("services of a compose file are brought up one by one, as they become healthy, and are stopped by docker", async () => {
  await using project = new RealProject({
    "compose.yaml": `
services:
  web:
    build: ./web
    depends_on: { migrate: { condition: service_completed_successfully } }
  migrate:
    image: migrate
    depends_on: { database: { condition: service_healthy } }
  database:
    image: postgres
    healthcheck: { test: "pg_isready -U $\${USER}", interval: 100ms, retries: 1 }
`,
    "docker": DOCKER,
    "calls": "",
  });
  Deno.chmodSync(`${project.folder}/docker`, 0o755);
  // In place of Docker's own, which is nobody's to run here.
  project.write({ ".mcp-run": (await project.init()).replaceAll('"docker"', '"./docker"') });
  const { manager } = project;
  const started = project.start();
  const calls = () => Deno.readTextFileSync(`${project.folder}/calls`);
  await project.until(
    "its health check",
    () => calls().includes("exec -T database sh -c pg_isready -U ${USER}"),
  );
  ok(
    !calls().includes("up --no-deps --no-log-prefix --exit-code-from migrate"),
    "it waits for a healthy database",
  );
  project.write({ healthy: "" });
  await started;
  await project.said("web", "attached to web");
  match(calls(), /^compose create --no-recreate\n/, "networks before all");
  match(await project.call("search_build_log", { process: "web" }), /^building web$/m);
  strictEqual(manager.service("migrate").state.kind, "finished");
  await project.call("stop", { process: "database" });
  match(await project.call("search_logs", { process: "database" }), /^database stops$/m);
});
