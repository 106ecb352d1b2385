/** The client in a real terminal, beside real builds of Nix 2.8 that are fed to its daemon as Nix 2.30 does it. */
import { match, ok, strictEqual } from "node:assert/strict";
import { userInfo } from "node:os";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { hasTmux, Tmux } from "../bpm_tui/tmux.ts";
import { failingChain, type Graph, hasNix, NixPlace, single } from "../nix/_nix.ts";
import { scenario } from "../nix/_scenarios.ts";
import { DaemonProcess, Follower } from "./_daemon.ts";

const SIZE = { columns: 80, rows: 24 };
/**
 * Names of builds begin with it where those of the whole machine are seen: another run of these tests has another one.
 * In golden files it is `tui`, which is as long.
 */
const TAG = Array.from(
  crypto.getRandomValues(new Uint8Array(3)),
  (byte) => String.fromCharCode(97 + byte % 26),
)
  .join("");
/** Until a click that has hit another row is done again. */
const LOOKS = 20;
const FOLDER = new URL("testdata/tui/screens/", import.meta.url);

/** A store, a daemon, and a client in a terminal. */
class Scene implements AsyncDisposable {
  readonly place = new NixPlace();
  readonly daemon = new DaemonProcess();
  readonly #stack = new AsyncDisposableStack();
  tmux!: Tmux;

  static async open(size = SIZE, ...words: string[]): Promise<Scene> {
    const scene = new Scene();
    await scene.daemon.start("--agent", "off", "--usage-from", "off");
    await scene.place.run("nix-store", ["--init"]);
    scene.tmux = await scene.client(size, ...words);
    return scene;
  }

  /** Another client. */
  async client(size = SIZE, ...words: string[]): Promise<Tmux> {
    const { NO_COLOR: _plain, ...env } = this.daemon.env;
    return this.#stack.use(await Tmux.start([...toolCommand("nix-btm"), "client", ...words], size, env));
  }

  /** Begins a build that ends with the scene at the latest. */
  begin(graph: Graph, ...more: string[]): Deno.ChildProcess {
    const child = this.place.feed(this.daemon.socket, [...this.place.build(graph), ...more]);
    const output = child.output();
    this.#stack.defer(async () => {
      // A test that has failed leaves no build behind.
      for (const { gate } of graph.nodes) if (gate !== undefined) Deno.writeTextFileSync(gate, "");
      for (const name of ["spin", "noisy"]) this.place.openGate(name);
      await output;
    });
    return child;
  }

  /**
   * Clicks on a build among the builders: there may be others, of whoever else builds on this machine, and they come and go.
   */
  async select(name: string): Promise<void> {
    const { tmux } = this;
    const isSelected = (screen: string) => screen.includes(`╮╭─ ${name} `);
    for (;;) {
      const screen = await tmux.until(new RegExp(`[▶⏸] ${name}`));
      if (isSelected(screen)) return;
      const row = screen.split("\n").findIndex((each) => each.includes(`▶ ${name}`));
      await tmux.type(`\x1b[<0;10;${row + 1}M\x1b[<0;10;${row + 1}m`);
      for (let look = 0; look < LOOKS && !isSelected(await tmux.screen()); look++);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    await this.daemon[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}

/** `app` needs `a`, which is built at once, `b`, which waits for its gate, and `spin`, which is busy until then. */
function appGraph(place: NixPlace): Graph {
  const busy = `i=0; while [ ! -e '${place.gate("spin")}' ]; do i=$((i + 1)); done`;
  return {
    roots: [`${TAG}-app`],
    nodes: [
      { name: `${TAG}-app`, inputs: [`${TAG}-a`, `${TAG}-b`, `${TAG}-spin`] },
      { name: `${TAG}-a` },
      { name: `${TAG}-b`, phases: ["unpackPhase", "configurePhase", "buildPhase"], gate: place.gate("b") },
      { name: `${TAG}-spin`, phases: ["unpackPhase", "buildPhase"], script: busy },
    ],
  };
}

/** A screen without what differs from run to run: times, sizes, pids, hashes, names of users and machines. */
function masked(screen: string): string {
  return screen
    .replaceAll(`${TAG}-`, "tui-")
    .replaceAll(/\/\S*\/[0-9a-z]{32}-/g, "/STORE/")
    .replaceAll(/\b[0-9a-z]{8} │/g, "HASH │")
    .replaceAll(/\b\d+h\d\dm\b|\b\d+m\d\ds\b|\b\d+m?s\b/g, "TIME")
    .replaceAll(/\b\d+(\.\d+)?%/g, "CPU")
    .replaceAll(/\b\d+(\.\d)?[BKMG](?= )/g, "SIZE")
    .replaceAll(/#1 \S+ /g, "#1 USER ")
    // Which of two comes first depends on their hashes.
    .replaceAll(/waiting for tui-\w+ (\(running\)|[^│]*?…)/g, "waiting for NAME")
    .replaceAll(" ⚑", "").replaceAll(/ on the critical path/g, "")
    .replaceAll(new RegExp(`\\b${Deno.hostname()}\\b`, "g"), "HOST")
    // A machine that has just begun has short ones.
    .replaceAll(/\b\d+(?= +CPU +SIZE)|\b\d{3,7}\b/g, "PID")
    .replaceAll(/[█▏▎▍▌▋▊▉░]+/g, "BAR")
    .replaceAll(/ +/g, " ").replaceAll(/─+/g, "─").replaceAll(/━+/g, "━")
    .trimEnd() + "\n";
}

/** The Builders, tree above table, without rows of whoever else builds on this machine, and without empty ones. */
function ownRows(screen: string): string {
  const rows = screen.split("\n").filter((row) => row.includes("││")).map((row) =>
    row.split("││") as [string, string]
  );
  const tree = rows.map(([left]) => left).filter((row) => row.includes(`${TAG}-`) || row.includes("▾"));
  const table = rows.map(([, right]) => right).filter((row) => !/^ *│$/.test(row));
  return [...tree, ...table].join("\n").replace(/▾ \S+ \(\d+\)/, "▾ USER (N)");
}

function isGolden(name: string, screen: string): void {
  const file = new URL(`${name}.txt`, FOLDER);
  const text = masked(screen);
  if (Deno.env.get("UPDATE") !== undefined) Deno.writeTextFileSync(file, text);
  if (Deno.env.get("SHOW") !== undefined) console.log(`${name}\n${screen}`);
  strictEqual(text, Deno.readTextFileSync(file), screen);
}

function screenTest(name: string, fn: () => Promise<void>): void {
  const canRun = hasTmux() && hasNix;
  Deno.test({ name: canRun ? name : `${name} (needs tmux and nix-bin)`, ignore: !canRun, fn });
}

screenTest("every view is driven by keys during a build of Nix 2.8 (fed)", async () => {
  await using scene = await Scene.open();
  const { tmux, place } = scene;
  await tmux.until(/▶ 0 running/);
  const { status } = scene.begin(appGraph(place), "--max-jobs", "4");
  match(await tmux.until(new RegExp(`▶ ${TAG}-spin +\\S+ +\\d+%`)), /▶ 2 running +· 1 to come +✔ 1 built/);
  await tmux.type("/x"); // Nothing is filtered here.
  await scene.select(`${TAG}-spin`);
  const builders = await tmux.until(
    new RegExp(
      `spin buildPhase[^]*log of ${TAG}-spin\\s+│\\n.*${TAG}-spin: unpackPhase[^]*${TAG}-spin: buildPhase`,
    ),
  );
  isGolden("builders", ownRows(builders));
  await tmux.keys("l", "Enter");
  const process = await tmux.until(/╭─ process \d+ ─[\s\S]*NIX_BUILD_TOP=/);
  match(process, /sh -e -c exec/);
  await tmux.keys("x", "h", "n");
  isGolden("eagle", await tmux.until(/waiting for \w+-\w+ \(running\) and 1 more/));
  await tmux.keys("n", "s");
  isGolden("jobs", await tmux.until(new RegExp(`▶ build +${TAG}-b`)));
  await tmux.type(`/${TAG}-b`);
  await tmux.keys("Enter", "Enter");
  isGolden(
    "build",
    await tmux.until(new RegExp(`─ ▶ ${TAG}-b ─+ 3 lines following[^]*${TAG}-b: buildPhase`)),
  );
  await tmux.type("/phase");
  await tmux.keys("Enter", "n");
  match(await tmux.until(/\/phase 2\/3/), /n next match/);
  // Escape and a key at once would be Alt and the key.
  await tmux.keys("Escape");
  await tmux.until((screen) => !screen.includes("/phase"));
  await tmux.keys("f");
  await tmux.until(/following/);
  place.openGate("spin");
  await tmux.until(/✔ 2 built/);
  place.openGate("b");
  await tmux.until(new RegExp(`─ ✔ ${TAG}-b ─`));
  strictEqual((await status).code, 0);
  await tmux.keys("Escape");
  await tmux.until(new RegExp(`─ jobs /${TAG}-b ─`));
  await tmux.keys("Escape");
  await tmux.until(new RegExp(`4 built[^]*✔ build +${TAG}-app`));
  await tmux.keys("5");
  isGolden("history", await tmux.until(new RegExp(`✔ .* ago +${TAG}-app`)));
  await tmux.keys("6");
  await tmux.until(/running to come +built[\s\S]*asked for[\s\S]*4\/4/);
  await tmux.keys("?");
  await tmux.until(/─ keys ─/);
  await tmux.keys("x", "q");
  await tmux.until(/ended with 0/);
});

screenTest("a real build is paused, goes on, and is killed when that is confirmed (fed)", async () => {
  await using scene = await Scene.open();
  const { tmux, place } = scene;
  const victim = `${TAG}-victim`;
  const graph = single(victim, { gate: place.gate("victim") });
  const { status } = scene.begin(graph);
  await scene.select(victim);
  await tmux.keys("P");
  await tmux.until(new RegExp(`⏸ ${victim}[^]*paused ${victim}: \\d+ process`));
  await tmux.keys("R");
  await tmux.until(new RegExp(`▶ ${victim}[^]*resumed ${victim}: \\d+ process`));
  await tmux.keys("X");
  await tmux.until(new RegExp(`kill ${victim} and all that it has started\\?`));
  await tmux.keys("n");
  await tmux.until(/nothing was done/);
  ok(place.building().includes(victim));
  await tmux.keys("X", "y");
  await tmux.until(new RegExp(`✖ 1 failed[^]*killed ${victim}: \\d+ process`));
  ok((await status).code !== 0);
  await tmux.keys("3");
  match(await tmux.until(new RegExp(`✖ build +${victim}`)), /signal 9/);
});

screenTest(
  "a log is followed as it grows, its failure is explained, and both are there in the history (fed)",
  async () => {
    await using scene = await Scene.open();
    const { tmux, place } = scene;
    const gate = place.gate("noisy");
    const noisy: Graph = {
      roots: ["noisy"],
      nodes: [{
        name: "noisy",
        script: `i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i + 1)); done
        while [ ! -e '${gate}' ]; do sleep 0.02; done; echo "the last line"; exit 7`,
      }],
    };
    const { status } = scene.begin(noisy);
    await tmux.keys("3");
    await tmux.until(/▶ build +noisy/);
    await tmux.keys("Enter");
    await tmux.until(/2001 lines following[\s\S]*line 1999/);
    await tmux.keys("g");
    await tmux.until(/│ line 0 /);
    await tmux.type("/line 1234");
    await tmux.keys("Enter");
    await tmux.until(/\/line 1234 1\/1/);
    await tmux.keys("G");
    await tmux.until(/line 1999/);
    place.openGate("noisy");
    await tmux.until(/─ ✖ noisy ─[\s\S]*exit code 7[\s\S]*the last line/);
    ok((await status).code !== 0);
    await tmux.keys("e");
    await tmux.until(/─ why ─[\s\S]*exit code 7/);
    await tmux.keys("x", "5");
    await tmux.until(/✖ .*noisy/);
    await tmux.keys("Enter");
    await tmux.until(/─ ✖ noisy ─[\s\S]*2002 lines/);
    await tmux.keys("G");
    await tmux.until(/the last line/);
  },
);

screenTest("failed builds are on top of the Eagle Eye, and finished ones folded (fed)", async () => {
  await using scene = await Scene.open({ columns: 110, rows: 30 });
  const { tmux } = scene;
  await tmux.keys("2");
  const { status } = scene.begin(failingChain());
  ok((await status).code !== 0);
  // What needs what is known a little later.
  isGolden("failed", await tmux.until(/▾ ✖ chain-1 [^]*▾ ✖ chain-2 .*exit code 3/));
  await tmux.keys("A", "A");
  await tmux.until(/running and failed/);
});

screenTest("a daemon that is killed and comes again is followed by a client that says so", async () => {
  await using scene = await Scene.open();
  const { tmux, daemon } = scene;
  await (scene.begin(single("before"))).status;
  await tmux.keys("3");
  await tmux.until(/✔ build +before/);
  await daemon.stop("SIGKILL");
  await tmux.until(/what was known is shown[\s\S]*✔ build +before/);
  await daemon.start("--agent", "off", "--usage-from", "off");
  await tmux.until((screen) => !screen.includes("what was known is shown") && !screen.includes("before"));
  await (scene.begin(single("after"))).status;
  await tmux.until(/✔ build +after/);
  await tmux.keys("5");
  await tmux.until(/before/);
});

screenTest(
  "the terminal is given back on q, SIGTERM and SIGHUP, and another size is drawn anew",
  async () => {
    await using scene = await Scene.open();
    for (const [how, code] of [["q", 0], ["SIGTERM", 143], ["SIGHUP", 0]] as const) {
      const tmux = await scene.client();
      await tmux.until(/▶ 0 running/);
      strictEqual(await tmux.fact("#{alternate_on} #{mouse_any_flag} #{cursor_flag}"), "1 1 0");
      await tmux.resize(120, 40);
      await tmux.until((screen) => screen.split("\n").length >= 40 && / nix-btm$/m.test(screen));
      if (how === "q") await tmux.keys("q");
      else Deno.kill(await tmux.program(), how);
      const screen = await tmux.until(/ended with \d+\n-?icanon/);
      match(screen, new RegExp(`ended with ${code}\\nicanon`));
      strictEqual(await tmux.fact("#{alternate_on} #{mouse_any_flag} #{cursor_flag}"), "0 0 1");
    }
  },
);

screenTest(
  "a client that was stopped while 2,000 builds were fed goes on with the right state, and held nobody up",
  async () => {
    await using scene = await Scene.open();
    const { tmux, daemon } = scene;
    await using witness = new Follower(daemon.control, daemon.folder);
    await tmux.keys("3");
    await tmux.until(/Nix does nothing/);
    const pid = await tmux.program();
    Deno.kill(pid, "SIGSTOP");
    const text = new TextDecoder().decode(scenario("05-wide-200-j8").bytes);
    for (let round = 1; round <= 10; round++) {
      using feed = await daemon.connect();
      // Each time other ids, as each process has them.
      await feed.write(
        text.replaceAll(/"id":(\d+)/g, (_, id: string) => `"id":${BigInt(id) + BigInt(round) * 2n ** 32n}`),
      );
    }
    await witness.until("all of them", () => {
      const world = witness.client.worlds.get("");
      return world !== undefined && world.commands.size === 10 &&
        [...world.commands.values()].every(({ state }) => state === "succeeded");
    });
    match(await tmux.screen(), /Nix does nothing/, "it is still stopped");
    Deno.kill(pid, "SIGCONT");
    const screen = await tmux.until(/✔ 2000 built/);
    match(screen, /▶ 0 running +· 0 to come/);
    ok(!screen.includes("what was known is shown"));
    await tmux.keys("q");
    await tmux.until(/ended with 0/);
  },
);

screenTest("what is copied is in the clipboard of the terminal, and of tmux (fed)", async () => {
  await using scene = await Scene.open();
  await (scene.begin(single("copied"))).status;
  const { NO_COLOR: _plain, ...env } = scene.daemon.env;
  await using tmux = await Tmux.start([...toolCommand("nix-btm"), "client"], SIZE, env);
  await tmux.option("set-clipboard", "on");
  await tmux.keys("3");
  await tmux.until(/✔ build +copied/);
  await tmux.keys("y");
  await tmux.until(/copied ….*-copied\.drv/);
  match(await tmux.copied(), /^\/.*\/store\/[0-9a-z]{32}-copied\.drv$/);
});

screenTest("a recorded log is played in the terminal at its speed, and summed up outside of it", async () => {
  const [program, ...args] = toolCommand("nix-btm");
  const file = new URL("../testdata/nix/06-fail-chain.log", import.meta.url).pathname;
  await using tmux = await Tmux.start([program, ...args, "replay", file, "--speed", "100000"], SIZE);
  await tmux.until(/✖ fc-bad .*exit code 3/);
  await tmux.keys("3");
  await tmux.until(/✖ build +fc-bad/);
  await tmux.keys("Enter");
  await tmux.until(/error: kaboom in fc-bad/);
  await tmux.keys("q");
  await tmux.until(/ended with 0/);
  const run = (...words: string[]) =>
    new Deno.Command(program, { args: [...args, "replay", file, ...words], stdin: "null" }).output();
  const text = new TextDecoder();
  match(text.decode((await run("--once")).stdout), /failed +fc-bad: exit code 3 in buildPhase/);
  const jobs = JSON.parse(text.decode((await run("--json")).stdout)).jobs as { name: string }[];
  ok(jobs.some(({ name }) => name === "fc-bad"));
});

screenTest("standalone takes logs itself and shows them (fed)", async () => {
  await using place = new NixPlace();
  await place.run("nix-store", ["--init"]);
  const folder = Deno.makeTempDirSync({ prefix: "nix-btm-" });
  const env = { RUNTIME_DIRECTORY: folder, STATE_DIRECTORY: `${folder}/state` };
  {
    const words = ["standalone", "-n", `${folder}/logs.sock`, "-s", `${folder}/own.log`];
    await using tmux = await Tmux.start([...toolCommand("nix-btm"), ...words], SIZE, env);
    await tmux.until(/ 1 Builders /);
    await place.feed(`${folder}/logs.sock`, place.build(single("alone"))).output();
    await tmux.keys("3");
    await tmux.until(/✔ build +alone/);
    await tmux.keys("Enter");
    await tmux.until(/alone: buildPhase/);
    // Who asked is known here as well.
    await tmux.keys("6");
    // Where the runtime lies deep its path is cut.
    const asked = RegExp.escape(Deno.execPath().slice(0, 12));
    await tmux.until(new RegExp(`✔ ${userInfo().username} +${asked}`));
    await tmux.keys("q");
    await tmux.until(/ended with 0/);
  }
  match(Deno.readTextFileSync(`${folder}/own.log`), /taking logs of Nix[\s\S]*ended/);
  ok(Deno.lstatSync(`${folder}/logs.sock`).isSocket, "where none is Nix would write a file");
  Deno.removeSync(folder, { recursive: true });
});
