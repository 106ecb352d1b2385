/** The screen of a real terminal: borrowed, listened to, and given back on every way out. */
import { match, strictEqual } from "node:assert/strict";
import { ROOT } from "../../lib/build/paths.ts";
import { hasTmux, Tmux } from "../bpm_tui/tmux.ts";

const PROGRAM = [Deno.execPath(), "run", "--no-check", "--allow-env", `${ROOT}tests/tui/echo_program.ts`];
const HELD = "#{alternate_on} #{mouse_any_flag} #{cursor_flag}";

function terminalTest(name: string, fn: (tmux: Tmux) => Promise<void>): void {
  Deno.test({
    name: hasTmux() ? name : `${name} (needs tmux)`,
    ignore: !hasTmux(),
    async fn() {
      await using tmux = await Tmux.start(PROGRAM, { columns: 60, rows: 16 }, { COLORTERM: "" });
      await tmux.until(/size 60x16/);
      await fn(tmux);
    },
  });
}

const WAYS: [key: string, how: string, said: RegExp, code: number][] = [
  ["C-q", "the program's end", /ended with/, 0],
  ["C-v", "an error in its update", /RangeError: a bug in update/, 1],
  ["C-t", "an error beside it", /thrown beside/, 1],
  ["C-r", "a rejection beside it", /rejected beside/, 1],
  ["C-x", "an exit in its midst", /ended with/, 7],
];
for (const [key, how, said, code] of WAYS) {
  terminalTest(`${how} gives the screen back and can be read`, async (tmux) => {
    strictEqual(await tmux.fact(HELD), "1 1 0");
    await tmux.keys(key);
    const screen = await tmux.until(/ended with \d+\n-?icanon/);
    match(screen, new RegExp(`ended with ${code}\\nicanon`));
    match(await tmux.history(), said);
    strictEqual(await tmux.fact(HELD), "0 0 1");
  });
}

terminalTest("keys, pasted text, the mouse and sizes are told as events", async (tmux) => {
  match(await tmux.until(/size/), /colours 256|colours 16/);
  await tmux.keys("a", "Up", "C-Left", "F5", "M-x");
  await tmux.until(/key a\n.*key up\n.*key ctrl\+left\n.*key f5\n.*key alt\+x/);
  await tmux.keys("Escape");
  await tmux.until(/key escape/);
  await tmux.type("\x1b[200~two\rlines\x1b[201~漢🦀");
  await tmux.until(/paste "two\\nlines"\nkey 漢\nkey 🦀/);
  await tmux.type("\x1b[<0;3;4M");
  await tmux.until(/mouse press left 2,3/);
  await tmux.resize(50, 12);
  await tmux.until(/size 50x12/);
  await tmux.keys("C-o");
  await tmux.until(/key ctrl\+o/);
  strictEqual(await tmux.fact("#{mouse_any_flag}"), "0");
});

terminalTest("a program that was stopped takes the screen again when it goes on", async (tmux) => {
  const pid = await tmux.program();
  Deno.kill(pid, "SIGSTOP");
  await tmux.resize(60, 15);
  Deno.kill(pid, "SIGCONT");
  await tmux.until(/size 60x15/);
  await tmux.keys("z");
  await tmux.until(/key z/);
});
