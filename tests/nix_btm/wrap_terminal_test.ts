/** The wrapper in a real terminal: what keys do there they do with the wrapper as well. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { hasTmux, Tmux } from "../bpm_tui/tmux.ts";
import { chain, hasNixShells, NixPlace } from "../nix/_nix.ts";
import { Wrapped } from "./_wrapped.ts";

const SIZE = { columns: 80, rows: 24 };

function terminalTest(name: string, needs: boolean, body: (wrapped: Wrapped) => Promise<void>): void {
  Deno.test({
    name: `run in a terminal: ${name}`,
    ignore: !hasTmux() || !needs,
    async fn() {
      await using wrapped = new Wrapped();
      await body(wrapped);
    },
  });
}

/** A person's shell, into which the wrapper around a script is typed. Behind it stands its code as `code=0`. */
async function start(wrapped: Wrapped, script: string): Promise<Tmux> {
  const path = `${wrapped.folder}/script`;
  Deno.writeTextFileSync(path, `cd '${wrapped.folder}'\n${script}\n`);
  const tmux = await Tmux.start(["bash", "--norc", "--noprofile", "-i"], SIZE, { PS1: "'code=$? '" });
  await tmux.until(/code=0/);
  await tmux.type(`clear; ${wrapped.program()} sh ${path}`);
  await tmux.keys("Enter");
  await wrapped.has("ready");
  return tmux;
}

const UNTIL_OVER = ": >ready; until [ -e over ]; do sleep 0.02; done";

terminalTest("Ctrl-C reaches the command once, and its answer counts", true, async (wrapped) => {
  await using tmux = await start(wrapped, `trap 'echo interrupt; n=$((n + 1))' INT; ${UNTIL_OVER}; exit $n`);
  await tmux.keys("C-c");
  await tmux.until(/interrupt/);
  Deno.writeTextFileSync(`${wrapped.folder}/over`, "");
  await tmux.until(/code=1$/m);
});

terminalTest("Ctrl-C ends a command that does not care, and the wrapper alike", true, async (wrapped) => {
  await using tmux = await start(wrapped, UNTIL_OVER);
  await tmux.keys("C-c");
  await tmux.until(/code=130$/m);
});

terminalTest("Ctrl-Z stops the command and the wrapper, and fg goes on with both", true, async (wrapped) => {
  await using tmux = await start(wrapped, `${UNTIL_OVER}; echo the end >&2; exit 4`);
  await tmux.keys("C-z");
  await tmux.until(/Stopped[^]*code=\d+$/m);
  const stopped = await tmux.fact("#{pane_pid}");
  deepStrictEqual(statesBelow(Number(stopped)).filter((state) => state === "T").length >= 2, true);
  Deno.writeTextFileSync(`${wrapped.folder}/over`, "");
  await tmux.type("fg");
  await tmux.keys("Enter");
  await tmux.until(/the end\n+code=4$/m);
});

/** States of all processes below one, as proc(5) has them. */
function statesBelow(pid: number): string[] {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ").filter((each) =>
    each !== ""
  );
  return children.map(Number).flatMap((child) => {
    const stat = Deno.readTextFileSync(`/proc/${child}/stat`);
    return [stat.slice(stat.lastIndexOf(")") + 2)[0]!, ...statesBelow(child)];
  });
}

terminalTest("standard input and output are the terminal, and it tells its size", true, async (wrapped) => {
  const script =
    `[ -t 0 ] && [ -t 1 ] && [ ! -t 2 ] && echo terminal; trap 'stty size; exit 6' WINCH; ${UNTIL_OVER}`;
  await using tmux = await start(wrapped, script);
  await tmux.until(/terminal/);
  await tmux.resize(90, 20);
  await tmux.until(/20 90\n+code=6$/m);
});

terminalTest("a shell of Nix has the whole terminal once it is built", hasNixShells, async (wrapped) => {
  await using place = new NixPlace();
  const file = place.write(chain(2));
  const env = { ...place.env, NIX_BUILD_SHELL: "/bin/bash", TERM: "xterm" };
  const words = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  await using tmux = await Tmux.start(
    [wrapped.program(), "env", "-i", ...words, "nix-shell", file, "-A", "chain-1"],
    SIZE,
  );
  await tmux.until(/nix-shell:/);
  await tmux.type("[ -t 2 ] && echo 'std''err'; exit 7");
  await tmux.keys("Enter");
  const screen = await tmux.until(/ended with 7/);
  match(screen, /^stderr$/m);
  strictEqual(screen.includes("@nix"), false);
  deepStrictEqual(wrapped.logged().match(/building '[^']*-chain-2\.drv'/)?.length, 1);
});
