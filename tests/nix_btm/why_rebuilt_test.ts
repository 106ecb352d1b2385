/** `nix-btm why-rebuilt` on what people name: derivations, and what only looks like one. */
import { deepStrictEqual, doesNotMatch, match, strictEqual } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { DaemonProcess } from "./_daemon.ts";

const DERIVATION = (value: string) =>
  `Derive([("out","/nix/store/x","","")],[],[],"x86_64-linux","/bin/sh",[],[("value","${value}")])`;

Deno.test("why-rebuilt reads plain files alone, also through links, and waits for no pipe", async () => {
  await using daemon = new DaemonProcess();
  const path = (name: string) => `${daemon.folder}/${name}.drv`;
  Deno.writeTextFileSync(path("one"), DERIVATION("1"));
  Deno.writeTextFileSync(path("two"), DERIVATION("2"));
  Deno.symlinkSync(path("two"), path("link"));
  const both = await daemon.run("why-rebuilt", path("link"), path("one"));
  deepStrictEqual([both.code, both.err], [0, ""]);
  match(both.out, /environment value: 1 → 2\n$/);

  await new Deno.Command("mkfifo", { args: [path("pipe")] }).output();
  Deno.symlinkSync("/dev/full", path("device"));
  Deno.mkdirSync(path("folder"));
  Deno.writeTextFileSync(path("large"), "");
  Deno.truncateSync(path("large"), 64 * 2 ** 20);
  for (
    const [name, why] of [
      ["pipe", "it is no plain file"],
      ["device", "it is no plain file"],
      ["folder", "it is no plain file"],
      ["large", `it has ${64 * 2 ** 20} bytes`],
      ["none", "there is none; it was collected, or never was here"],
    ] as const
  ) {
    const { code, err } = await untilItEnds(["why-rebuilt", path(name), path("one")]);
    deepStrictEqual([code, err], [1, `nix-btm: Cannot read derivation ${path(name)}: ${why}\n`]);
  }
});

Deno.test("why-rebuilt prints values in one line each, and nothing that a terminal obeys; JSON has all of them", async () => {
  await using daemon = new DaemonProcess();
  const path = (name: string) => `${daemon.folder}/${name}\x1b[2J.drv`;
  Deno.writeTextFileSync(path("one"), DERIVATION("\x1b]0;title\x07one\\ntwo\x9b"));
  Deno.writeTextFileSync(path("two"), DERIVATION("2"));
  const { out } = await daemon.run("why-rebuilt", path("two"), path("one"));
  const plain = path("two").replace("\x1b[2J", "");
  strictEqual(
    out,
    `${plain}\ninstead of ${plain.replace("two", "one")}\n  environment value: one\\ntwo → 2\n`,
  );
  const json = await daemon.run("why-rebuilt", "--json", path("two"), path("one"));
  doesNotMatch(json.out, /(?!\n)\p{Cc}/u);
  strictEqual(JSON.parse(json.out).differences[0].before, "\x1b]0;title\x07one\ntwo\x9b");
});

/** A command that waits for what never comes is ended, and is a failure. */
async function untilItEnds(
  words: readonly string[],
): Promise<{ readonly code: number; readonly err: string }> {
  const [program, ...args] = toolCommand("nix-btm");
  const child = new Deno.Command(program!, {
    args: [...args, ...words],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const { code, stderr, signal } = await child.output();
  clearTimeout(timer);
  strictEqual(signal, null, `${words.join(" ")} does not end`);
  return { code, err: new TextDecoder().decode(stderr) };
}
