/** `nix-btm run` and `nix-btm pipe` around real Nix. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { History } from "../../lib/nix_btm/mod.ts";
import { hasTmux } from "../bpm_tui/tmux.ts";
import { chain, diamond, failingChain, type Graph, hasNix, hasNixShells, single } from "../nix/_nix.ts";
import { DaemonProcess } from "./_daemon.ts";
import { Scene } from "./_run.ts";
import { until } from "../keeper/_log.ts";

function nixTest(name: string, body: (scene: Scene) => Promise<void>, needs = hasNix): void {
  Deno.test({
    name: `run: ${name}`,
    ignore: !needs,
    async fn() {
      await using scene = new Scene();
      await body(scene);
    },
  });
}

function terminalTest(name: string, body: (scene: Scene) => Promise<void>, needs = hasNix): void {
  nixTest(`in a terminal, ${name}`, body, needs && hasTmux());
}

/** A graph whose `name` waits until its gate is opened. */
function gated({ place }: Scene, { roots, nodes }: Graph, name: string): Graph {
  return {
    roots,
    nodes: nodes.map((node) => node.name === name ? { ...node, gate: place.gate("one") } : node),
  };
}

terminalTest("progress stands below the log, and only the log and the sum are left", async (scene) => {
  const words = scene.place.build(gated(scene, diamond({ phases: ["unpackPhase", "buildPhase"] }), "left"));
  await using tmux = await scene.type(`nix-btm run -- nix-build ${words.join(" ")} -j 4`);
  const shown = await tmux.until(/✔ 2/);
  match(shown, /^bottom> bottom: unpackPhase$/m);
  match(
    shown,
    /^┃ ┌─ ⏵ left( +\d+s)? {2}buildPhase\n┃ ⏸ top +waiting for left\n┗━ ⏵ 1 ✔ 2 ⏸ 1 │ ⏱ \d+s\n\n/m,
  );
  strictEqual(await tmux.fact("#{alternate_on} #{cursor_flag}"), "0 1");
  scene.place.openGate("one");
  const screen = await tmux.until(/code=0 *$/m);
  ok(!screen.includes("┃"));
  deepStrictEqual(screen.match(/^(bottom|left|right|top)> .*$/gm)?.length, 8);
  match(screen, /^\/.*-top\n┗━ ✔ 4 │ finished at \d\d:\d\d:\d\d after \d+m?s\ncode=0$/m);
});

terminalTest("Ctrl-C leaves a clean terminal, what was stopped, and Nix' own code", async (scene) => {
  const words = scene.place.build(gated(scene, chain(2), "chain-2"));
  await using tmux = await scene.type(`nix-btm run -- nix-build ${words.join(" ")}`);
  await tmux.until(/⏵ chain-2/);
  await tmux.keys("C-c");
  const screen = await tmux.until(/code=\d+ *$/m);
  match(screen, /┗━ ⏹ 1 .*interrupted at .*\ncode=1 *\n/);
  ok(!screen.includes("┃"));
  await tmux.type("stty -a | grep -c ' echo '");
  await tmux.keys("Enter");
  await tmux.until(/^1\ncode=0/m);
});

terminalTest("a failure is told with the end of its log, and its code kept", async (scene) => {
  await using tmux = await scene.type(
    `nix-btm run -- nix-build ${scene.place.build(failingChain()).join(" ")}`,
  );
  const screen = await tmux.until(/code=100 *$/m);
  match(
    screen,
    /^⚠ chain-2 failed with exit code 3( after \d+s)? in checkPhase\n {2}nix log \/.*-chain-2\.drv\n/m,
  );
  match(screen, /^ {2}│ assertion failed: 1 == 2\n┗━ ✔ 1 ⚠ 1 ⏸ 1 │ failed with exit code 100 at /m);
});

terminalTest("a fixed height holds, also when the terminal becomes another one", async (scene) => {
  const words = scene.place.build(gated(scene, chain(3), "chain-2"));
  await using tmux = await scene.type(`nix-btm run --height 8 --log-lines 3 -- nix-build ${words.join(" ")}`);
  const window = await tmux.until(/chain-2> chain-2: buildPhase[^]*⏵ chain-2/);
  match(
    window,
    /^┃\n┃ chain-3> chain-3: buildPhase\n┃ chain-2> chain-2: buildPhase\n(┃\n){5}┃ ┌─ ⏵ chain-2/m,
  );
  await tmux.resize(40, 16);
  await tmux.until((screen) =>
    /^┗━ ⏵ 1 ✔ 1 ⏸ 1 │ ⏱ \d+s$/m.test(screen) && screen.match(/┗━/g)?.length === 1
  );
  scene.place.openGate("one");
  const screen = await tmux.until(/code=0 *$/m);
  ok(!screen.includes("┃"));
  ok(!screen.includes("chain-3>"));
});

terminalTest("nix-shell has the whole terminal once everything is built", async (scene) => {
  const file = scene.place.write(gated(scene, chain(2), "chain-2"));
  await using tmux = await scene.type(`nix-btm run -- nix-shell ${file} -A chain-1`);
  await tmux.until(/⏵ chain-2/);
  scene.place.openGate("one");
  const before = await tmux.until(/\[nix-shell:/);
  ok(!before.includes("┃"));
  match(before, /✔ 1 │ finished at/);
  await tmux.type("[ -t 2 ] && echo 'std''err'; exit 7");
  await tmux.keys("Enter");
  const screen = await tmux.until(/code=7 *$/m);
  match(screen, /^stderr$/m);
}, hasNixShells);

terminalTest("what nixos-rebuild says and asks after its builds is its own", async (scene) => {
  const { place } = scene;
  const script = [
    "#!/bin/sh",
    "shift; echo 'building the system configuration...' >&2",
    `nix-build ${place.build(gated(scene, chain(2), "chain-2")).join(" ")} "$@" >/dev/null || exit`,
    "printf 'activate? ' >&2; read answer; echo \"it is $answer\"; exit 4",
  ];
  Deno.writeTextFileSync(`${place.folder}/nixos-rebuild`, `${script.join("\n")}\n`, { mode: 0o755 });
  await using tmux = await scene.type("nix-btm run -- ./nixos-rebuild switch");
  match(await tmux.until(/⏵ chain-2/), /^building the system configuration\.\.\.\n/m);
  place.openGate("one");
  const asked = await tmux.until(/activate\?/);
  ok(!asked.includes("┃"));
  await tmux.type("yes");
  await tmux.keys("Enter");
  match(await tmux.until(/code=4 *$/m), /^activate\? yes\nit is yes\n┗━ ✔ 2 │ failed with exit code 4 at/m);
});

terminalTest("a download stands below what needs it, with how much of it is there", async (scene) => {
  const { place } = scene;
  const library = { name: "library", script: "head -c 3000000 /dev/urandom > $out; exit 0" };
  const graph = { roots: ["program"], nodes: [library, { name: "program", inputs: ["library"] }] };
  const [path] = await place.lines("nix-build", [place.write(graph), "--no-out-link", "-A", "library"]);
  const folder = `${place.folder}/cache-files`;
  await place.lines("nix", ["copy", "--to", `file://${folder}?compression=none`, path!]);
  await place.forget([path!]);
  const rest = Promise.withResolvers<void>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const bytes = await Deno.readFile(folder + new URL(request.url).pathname).catch(() => undefined);
    if (bytes === undefined) return new Response("", { status: 404 });
    if (bytes.length < 1_000_000) return new Response(bytes);
    const parts = [bytes.subarray(0, 1_500_000), bytes.subarray(1_500_000)];
    const body = new ReadableStream({
      async pull(controller) {
        if (parts.length < 2) await rest.promise;
        if (parts.length === 0) controller.close();
        else controller.enqueue(parts.shift()!);
      },
    });
    return new Response(body, { headers: { "content-length": String(bytes.length) } });
  });
  const cache = `--option substituters http://127.0.0.1:${server.addr.port}`;
  await using tmux = await scene.type(`nix-btm run nix-build ${place.build(graph).join(" ")} ${cache}`);
  // What needs it is known when the derivation was read, and its first part comes in pieces: perhaps some pictures later.
  const shown = await tmux.until(/^┃ ┌─ .*■.* 1\.\d of 2\.9 MiB/m);
  match(shown, /^┃ ┌─ ↓ library( +\d+s)? {2}■+◧?□+ +\d+% {2}1\.\d of 2\.9 MiB/m);
  match(shown, /^┃ ⏸ program +waiting for library\n┗━ ⏸ 1 │ ↓ 0 of 1 1\.\d of 2\.9 MiB/m);
  rest.resolve();
  match(await tmux.until(/code=0 *$/m), /┗━ ✔ 1 │ ↓ 1 2\.9 MiB │ finished/);
});

terminalTest("a pipe draws with the width of the terminal wherever its output goes", async (scene) => {
  const words = scene.place.build(gated(scene, chain(2), "chain-2"));
  const line = `nix-build --log-format internal-json -v ${words.join(" ")} 2>&1 | nix-btm pipe --json > rows`;
  await using tmux = await scene.type(line, { columns: 34, rows: 12 });
  await tmux.until(/^┃ ┌─ ⏵ chain-2 .*\n┃ ⏸ chain-1 +waiting for.*…\n┗━/m);
  scene.place.openGate("one");
  await tmux.until(/finished after[^]*code=0 *$/m);
  match(Deno.readTextFileSync(`${scene.place.folder}/rows`), /"kind":"end",.*"exitCode":0/);
});

terminalTest("Ctrl-Z leaves what was drawn, and fg draws below it", async (scene) => {
  const words = scene.place.build(gated(scene, chain(2), "chain-2"));
  await using tmux = await scene.type(`nix-btm run nix-build ${words.join(" ")}`);
  await tmux.until(/⏵ chain-2/);
  await tmux.keys("C-z");
  await tmux.until(/Stopped[^]*code=\d+ *$/m);
  await tmux.type("fg");
  await tmux.keys("Enter");
  await tmux.until(/Stopped[^]*⏵ chain-2/);
  scene.place.openGate("one");
  match(await tmux.until(/finished[^]*code=0 *$/m), /⏵ chain-2[^]*Stopped[^]*✔ 2 │ finished/);
});

terminalTest("nix run gives the terminal to the program that it has built", async (scene) => {
  const { place } = scene;
  const program = '#!/bin/sh\nsleep 0.2; printf "name? "; read name; echo "it is $name"; exit 5\n';
  const script = `mkdir -p $out/bin; printf '${program}' > $out/bin/ask; chmod +x $out/bin/ask; exit 0`;
  const graph = { roots: ["ask"], nodes: [{ name: "ask", gate: place.gate("one"), script }] };
  await using tmux = await scene.type(`nix-btm run nix run -f ${place.write(graph)} ask`);
  await tmux.until(/⏵ ask/);
  place.openGate("one");
  const asked = await tmux.until(/name\?/);
  ok(!asked.includes("┃"));
  await tmux.type("who");
  await tmux.keys("Enter");
  match(await tmux.until(/code=5 *$/m), /^name\? who\nit is who\n┗━ ✔ 1 │ failed with exit code 5/m);
}, hasNixShells);

terminalTest("what was built before tells how long it takes", async (scene) => {
  const graph = gated(scene, single("once"), "once");
  const words = scene.place.build(graph);
  scene.place.openGate("one");
  const { stdout } = await scene.run(["run", "--", "nix-build", ...words]);
  await scene.place.forget([stdout.trim()]);
  Deno.removeSync(scene.place.gate("one"));
  await using tmux = await scene.type(`nix-btm run -- nix-build ${words.join(" ")}`);
  match(await tmux.until(/⏵ once .*buildPhase/), /⏵ once .*buildPhase {2}∅ \d+(ms|s)/);
  scene.place.openGate("one");
  await tmux.until(/code=0 *$/m);
});

nixTest(
  "without a terminal there is a line for each build, and standard output is the command's",
  async (scene) => {
    const { code, stdout, stderr } = await scene.run([
      "run",
      "--",
      "nix-build",
      ...scene.place.build(chain(2)),
    ]);
    strictEqual(code, 0);
    match(stdout, /^\/.*-chain-1\n$/);
    deepStrictEqual(stderr.replaceAll(/\d+m?s\b/g, "T").split("\n"), [
      "building chain-2",
      "built chain-2 in T",
      "building chain-1",
      "built chain-1 in T",
      "✔ 2 │ finished after T",
      "",
    ]);
  },
);

/** A chain that `nix develop` takes: it wants derivations that bash builds. */
function bashChain({ place }: Scene): string {
  const { roots, nodes } = chain(2);
  return place.write({
    roots,
    nodes: nodes.map((node) => ({ ...node, attributes: 'builder = "/bin/bash";' })),
  });
}

nixTest("nix develop is shown too", async (scene) => {
  const inside = ["--command", "/bin/sh", "-c", "echo inside; exit 3"];
  const words = ["run", "--", "nix", "develop", "-f", bashChain(scene), "chain-1", ...inside];
  const develop = await scene.run(words);
  deepStrictEqual([develop.code, develop.stdout], [3, "inside\n"]);
  match(develop.stderr, /^built chain-2 in [^]*^built chain-1-env in [^]*✔ 2 │ finished/m);
}, hasNixShells);

nixTest("nix build is shown too", async (scene) => {
  const file = bashChain(scene);
  const build = await scene.run(["run", "--", "nix", "build", "-f", file, "chain-1", "--no-link", "-L"]);
  strictEqual(build.code, 0);
  // When each of them was built, this command says at its end.
  match(
    build.stderr,
    /^building chain-1\nchain-1> chain-1: buildPhase\n[^]*built chain-1 in [^]*✔ 2 │ finished/m,
  );
  const again = await scene.run(["run", "--", "nix", "build", "-f", file, "chain-1", "--no-link"]);
  deepStrictEqual(again, { code: 0, stdout: "", stderr: "" });
});

nixTest("errors of evaluation are told once, with Nix' code", async (scene) => {
  const said = await scene.run([
    "run",
    "--",
    "nix-build",
    "-E",
    'builtins.trace "seen" (throw "no such thing")',
  ]);
  strictEqual(said.code, 1);
  strictEqual(said.stderr.match(/no such thing/g)?.length, 1);
  match(said.stderr, /^trace: seen\nerror: no such thing/m);
});

nixTest("SIGTERM stops the builds, and what was stopped is told", async (scene) => {
  const words = scene.place.build(gated(scene, chain(2), "chain-2"));
  const child = scene.spawn(["run", "--", "nix-build", ...words]);
  let said = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    // Nix has told of the build: its builder is there to be stopped.
    if (said === "") child.kill("SIGTERM");
    said += text;
  }
  await child.stdout.cancel();
  strictEqual((await child.status).code, 1);
  const lines = said.replaceAll(/\d+m?s\b/g, "T").split("\n");
  deepStrictEqual(lines, ["building chain-2", "stopped chain-2 after T", "⏹ 1 │ interrupted after T", ""]);
  await until("its end", () => scene.place.building().length === 0);
});

nixTest("GitHub's runner gets annotations", async (scene) => {
  const words = ["run", "--", "nix-build", ...scene.place.build(failingChain())];
  const { code, stderr } = await scene.run(words, { GITHUB_ACTIONS: "true" });
  strictEqual(code, 100);
  match(stderr, /^::group::built chain-3 in \d+m?s\nchain-3> chain-3: buildPhase\n::endgroup::$/m);
  match(stderr, /^::error title=chain-2 failed::failed with exit code 3 .*%0Aassertion failed: 1 == 2$/m);
});

nixTest("--json prints a line for each change and one for the end, and nothing else", async (scene) => {
  const words = ["run", "--quiet", "--json", "--", "nix-build", ...scene.place.build(failingChain()), "-k"];
  const { code, stdout, stderr } = await scene.run(words);
  strictEqual(code, 100);
  match(stderr, /^chain-2 failed with exit code 3/);
  const rows = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const end = rows.at(-1);
  deepStrictEqual([end.kind, end.exitCode, end.builds.done, end.builds.failed], ["end", 100, 1, 1]);
  strictEqual(end.failed[0].log.at(-1), "assertion failed: 1 == 2");
  ok(rows.some(({ kind, name, state }) => kind === "build" && name === "chain-3" && state === "succeeded"));
  const good = await scene.run(["run", "--json", "--", "nix-build", ...scene.place.build(single())]);
  const output = good.stdout.trimEnd().split("\n").map((line) => JSON.parse(line)).find(({ kind }) =>
    kind === "output"
  );
  match(output.text, /-single$/);
});

nixTest("what was saved with --tee can be replayed", async (scene) => {
  const path = `${scene.place.folder}/build.log`;
  await scene.run(["run", "--tee", path, "--", "nix-build", ...scene.place.build(chain(2))]);
  match((await scene.run(["replay", path])).stdout, /succeeded: 2 built, 0 running, 0 failed/);
});

nixTest("a pipe of records ends with 1 when a build failed, else with 0", async (scene) => {
  const program = scene.program();
  const piped = async (graph: Graph, options: string) => {
    const line = `nix-build ${scene.place.build(graph).join(" ")} ${options} 2>&1 | ${program} pipe`;
    return await scene.place.run("sh", ["-c", line]);
  };
  const good = await piped(chain(2), "--log-format internal-json -v");
  strictEqual(good.code, 0);
  match(good.stderr, /^built chain-1 in .*\n\/.*-chain-1\n✔ 2 │ finished/m);
  const bad = await piped(failingChain(), "--log-format internal-json -v");
  strictEqual(bad.code, 1);
  match(bad.stderr, /^chain-2> assertion failed: 1 == 2\n/m);
  const thrown = `nix-build --log-format internal-json -v -E 'throw "no such thing"' 2>&1 | ${program} pipe`;
  const error = await scene.place.run("sh", ["-c", thrown]);
  deepStrictEqual([error.code, error.stderr.match(/^error: no such thing$/m)?.length], [1, 1]);
  const plain = await piped(failingChain({ salt: "plain" }), "");
  strictEqual(plain.code, 1);
  match(plain.stderr, /^chain-2 failed with exit code 3/m);
});

nixTest("a daemon that listens hears of the command, and remembers its builds alone", async (scene) => {
  await using daemon = await new DaemonProcess().start();
  const env = daemon.env as Readonly<Record<string, string>>;
  const words = scene.place.build(chain(2));
  const { code } = await scene.run(["run", "--", "nix-build", ...words], env);
  strictEqual(code, 0);
  await until("the command", async () => / succeeded: 2 built/.test((await daemon.run("status")).out));
  match((await daemon.run("status")).out, /, 0 left {2}nix-build \//);
  const history = await scene.run(
    ["run", "--no-daemon", "--", "nix-build", ...scene.place.build(single())],
    env,
  );
  strictEqual(history.code, 0);
  match((await daemon.run("status")).out, /^#\d+ succeeded: 2 built[^\n]*\n$/);
  using remembered = History.open(`${daemon.folder}/state/history.sqlite`);
  deepStrictEqual(remembered.find({ limit: 9 }).map(({ name }) => name), ["single", "chain-1", "chain-2"]);
});

nixTest(
  "of one that is killed the daemon tells that it is lost; Nix builds to its end and leaves nothing",
  async (scene) => {
    await using daemon = await new DaemonProcess().start();
    const { place } = scene;
    const words = place.build(gated(scene, chain(2), "chain-2"));
    const told = async () => (await daemon.run("status")).out;
    const child = scene.spawn(["run", "-n", daemon.socket, "--", "nix-build", ...words]);
    await until("the build", async () => /running +chain-2/.test(await told()));
    child.kill("SIGKILL");
    strictEqual((await child.status).signal, "SIGKILL");
    await until(
      "its loss",
      async () => /^#\d+ lost: 0 built, 0 running, 0 failed, 0 left/.test(await told()),
    );
    deepStrictEqual(place.building(), ["chain-2"]);
    place.openGate("one");
    // Nobody reads what it has to say: a pipe without a reader ends no build.
    await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
    await until("all that was to be built", async () => {
      const { code, stderr } = await place.run("nix-build", [...words, "--dry-run"]);
      return code === 0 && stderr === "" && place.building().length === 0;
    });
  },
);

nixTest(
  "a command that cannot be started ends as in a shell, and one that is missing is a mistake",
  async (scene) => {
    const none = await scene.run(["run", "--", "./no-such-program"]);
    deepStrictEqual(none, {
      code: 127,
      stdout: "",
      stderr: 'nix-btm: Cannot run "./no-such-program": there is no such command\n',
    });
    const missing = await scene.run(["run"]);
    strictEqual(missing.code, 2);
    match(missing.stderr, /missing COMMAND/);
  },
);
