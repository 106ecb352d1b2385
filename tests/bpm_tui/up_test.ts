/** `deno task up`, seen in bpm-tui: dependency order, readiness and logs of this machine's own stack. */
import { match } from "node:assert/strict";
import { ROOT } from "../../lib/build/paths.ts";
import { toolPermissions } from "../../lib/build/tools.ts";
import { freePort } from "../free_port.ts";
import { hasTmux, Tmux, tuiCommand } from "./tmux.ts";

/** The task, until it is left. */
class Up implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #state = Deno.makeTempDirSync({ prefix: "up-" });

  constructor() {
    const port = freePort();
    this.url = `http://127.0.0.1:${port}/mcp`;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        ...toolPermissions("dev"),
        `${ROOT}cmd/dev/main.ts`,
        "up",
        "--port",
        `${port}`,
      ],
      env: {
        AGENT: `127.0.0.1:${freePort()}`,
        VIEW: `127.0.0.1:${freePort()}`,
        XDG_STATE_HOME: this.#state,
        UP_RUN: `${this.#state}/run`,
        RUNTIME_DIRECTORY: `${this.#state}/nix`,
      },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT");
    await this.#child.status;
    await Deno.remove(this.#state, { recursive: true });
  }
}

Deno.test({
  name: `this machine's stack is seen in a terminal while it comes up${hasTmux() ? "" : " (needs tmux)"}`,
  ignore: !hasTmux(),
  fn: async () => {
    await using up = new Up();
    await using tmux = await Tmux.start(tuiCommand(up.url), { columns: 120, rows: 34 });
    // What the viewer needs is ready before the viewer begins.
    await tmux.until(/▶ agent +running/);
    await tmux.until(/▶ nix-btm +running/);
    const screen = await tmux.until(/▶ viewer +running/);
    match(screen, /details: agent[\s\S]*▶ running, ready/);
    await tmux.until(/\[log\] build {2}graph {2}agent [\s\S]*listening/);
    await tmux.keys("d");
    await tmux.until(/▶ viewer {2}running, ready[\s\S]*└─ ▶ agent {2}running, ready/);
    await tmux.keys("j", "l");
    match(await tmux.until(/details: nix-btm[\s\S]*needs +agent/), /▶ running, ready/);
    await tmux.keys("j");
    match(await tmux.until(/details: viewer[\s\S]*needs +agent/), /url +http:\/\/127\.0\.0\.1:\d+/);
    await tmux.keys("q");
    await tmux.until(/ended with 0/);
  },
});
