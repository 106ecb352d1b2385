/** The real command in a real terminal against the real manager. */
import { match, ok, strictEqual } from "node:assert/strict";
import { ROOT } from "../../lib/build/paths.ts";
import { toolPermissions } from "../../lib/build/tools.ts";
import { hasTmux, Tmux, tuiCommand } from "./tmux.ts";

const SCRIPT = `
echo "listening; PORT of nobody"
i=0
while :; do
  i=$((i+1))
  echo "GET /orders/$i 200"
  [ $((i % 5)) = 0 ] && echo "WARN slow query $i" >&2
  sleep 0.2
done`;

/** The manager, in a project of its own with its state beside. */
class RealBpm implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #child: Deno.ChildProcess;

  static async start(): Promise<RealBpm> {
    const folder = await Deno.makeTempDir({ prefix: "bt-" });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const session = 'lifetime = "session"\ngrace = "1s"';
    await Deno.writeTextFile(`${folder}/serve.sh`, SCRIPT);
    await Deno.writeTextFile(
      `${folder}/.mcp-run`,
      [
        `mcp_port = ${port}`,
        `[process.web]\ntype = "command"\ncommand = ["sh", "serve.sh"]\nbuild = ["echo", "built the web"]`,
        `depends_on = { db = "ready" }\n${session}\n[process.web.ready]\nlog = "listening"\nevery = "100ms"`,
        `[process.db]\ntype = "command"\ncommand = ["sleep", "600"]\n${session}`,
        `[process.shell]\ntype = "command"\ncommand = ["cat"]\ntty = true\n${session}`,
        `[process.broken]\ntype = "command"\ncommand = ["sh", "-c", "echo no luck; exit 3"]\nmax_failures = 1\n${session}`,
      ].join("\n"),
    );
    return new RealBpm(folder, port);
  }

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}/mcp`;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...toolPermissions("bpm"), `${ROOT}cmd/bpm/main.ts`, "serve", folder],
      env: { XDG_STATE_HOME: folder },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

Deno.test({
  name:
    `our manager is steered from a terminal: state, logs, restart, stop, start, input, graph, explanation${
      hasTmux() ? "" : " (needs tmux)"
    }`,
  ignore: !hasTmux(),
  fn: async () => {
    await using bpm = await RealBpm.start();
    await using tmux = await Tmux.start(tuiCommand(bpm.url), { columns: 120, rows: 40 });
    const select = async (name: string) => {
      await tmux.keys(":");
      await tmux.until(/╭─ do ─/);
      await tmux.type(`go to ${name}`);
      await tmux.until(new RegExp(`› go to ${name}`));
      await tmux.keys("Enter");
      await tmux.until((screen) => !screen.includes("╭─ do ─") && screen.includes(`details: ${name}`));
    };
    await tmux.until(/▶ web +running/);
    await select("web");
    const screen = await tmux.until(/GET \/orders\/\d+ 200[\s\S]*┃ WARN slow query/);
    match(screen, /▶ running, ready .* pid \d+/);
    match(screen, /needs +db/);
    // CPU is told from the second time on.
    await tmux.until(/cpu +\d+(\.\d+)?% +[▁-█][^]*memory +\d+(\.\d+)?[KM] +[▁-█]/);

    await tmux.keys("d");
    await tmux.until(/▶ web {2}running, ready *│[\s\S]*└─ ▶ db/);
    await tmux.keys("b");
    await tmux.until(/built the web/);
    await tmux.keys("l");

    const pid = /pid (\d+)/.exec(screen)![1];
    await tmux.keys("r");
    await tmux.until(/✔ web: Process 'web' restarted successfully in dev mode/);
    await tmux.until((text) => / pid \d+/.test(text) && !text.includes(` pid ${pid}`));
    ok((await tmux.screen()).includes("Dev · release in"));

    await tmux.keys("x");
    await tmux.until(/■ web +idle/);
    await tmux.keys("s");
    await tmux.until(/▶ web +running/);

    await select("shell");
    await tmux.keys("a");
    await tmux.until(/attached to shell/);
    await tmux.type("hello there");
    await tmux.keys("Enter");
    // Its terminal's echo, and then what cat says.
    await tmux.until((text) => text.split("hello there").length === 3);
    await tmux.keys("C-]");
    await tmux.until((text) => !text.includes("attached to shell"));

    await select("broken");
    await tmux.until(/✗ broken/);
    await tmux.keys("e");
    await tmux.until(/exit code 3[\s\S]*no luck/);
    await tmux.keys("Escape");
    await tmux.until((text) => !text.includes("any other key closes"));
    await tmux.keys("q");
    strictEqual(/ended with 0/.test(await tmux.until(/ended with/)), true);
  },
});
