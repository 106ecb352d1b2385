/** `runWrapped()` in a process of its own, as `nix-btm run` calls it: signals and terminals are a process's own. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { until } from "../keeper/_log.ts";
import { outcome, Wrapped } from "./_wrapped.ts";

Deno.test("run: standard output is untouched, records are kept from standard error, and both are saved", async () => {
  await using wrapped = new Wrapped();
  const record = `@nix {"action":"stop","id":1}`;
  const said = await wrapped.run(
    "sh",
    "-c",
    `echo out; echo one >&2; echo '${record}' >&2; printf two >&2; exit 3`,
  );
  deepStrictEqual(said, { ended: 3, stdout: "out\n", stderr: "one\ntwo" });
  strictEqual(wrapped.logged(), `one\n${record}\ntwo`);
});

for (const signal of ["TERM", "KILL", "SEGV", "PIPE", "INT"]) {
  Deno.test(`run: a command that ends by SIG${signal} ends the wrapper by it`, async () => {
    await using wrapped = new Wrapped();
    strictEqual((await wrapped.run("sh", "-c", `kill -${signal} $$`)).ended, `SIG${signal}`);
  });
}

Deno.test("run: a command that cannot be started has the shell's codes", async () => {
  await using wrapped = new Wrapped();
  const missing = await wrapped.run("no-such-command");
  deepStrictEqual(missing, {
    ended: 127,
    stdout: "",
    stderr: 'Cannot run "no-such-command": there is no such command\n',
  });
  const folder = await wrapped.run(wrapped.folder);
  strictEqual(folder.ended, 126);
  match(folder.stderr, /^Cannot run "\/.*": .*denied/i);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1"] as const) {
  Deno.test(`run: ${signal} that a process sends to the wrapper reaches the command, whose answer counts`, async () => {
    await using wrapped = new Wrapped();
    const name = signal.slice(3);
    const child = await wrapped.script(
      `trap 'echo heard >&2; exit 9' ${name}; : >ready; while :; do sleep 0.02; done`,
    );
    child.kill(signal);
    const { ended, stderr } = await outcome(child);
    deepStrictEqual([ended, stderr], [9, "heard\n"]);
  });
}

Deno.test("run: a shell whose preparation was interrupted does not begin, also when all was done", async () => {
  await using wrapped = new Wrapped();
  const path = `${wrapped.folder}/nix-shell`;
  const script = `case "$*" in *--run*) trap '' INT; kill -INT $PPID; sleep 0.3;; *) echo shell;; esac`;
  Deno.writeTextFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  deepStrictEqual(await wrapped.run(path, "-p", "x"), { ended: "SIGINT", stdout: "", stderr: "" });
});

Deno.test("run: what is ignored stays ignored", async () => {
  await using wrapped = new Wrapped();
  const line = wrapped.words("sh", "-c", "kill -HUP $$; kill -INT $$; echo lives").map((word) => `'${word}'`)
    .join(" ");
  const { code, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", `trap '' HUP INT; ${line}`] })
    .output();
  deepStrictEqual([code, new TextDecoder().decode(stdout)], [0, "lives\n"], new TextDecoder().decode(stderr));
});

Deno.test("run: a process that is left behind with standard error does not hold the wrapper", async () => {
  await using wrapped = new Wrapped();
  const script = ": >held; (while [ -e held ]; do sleep 0.02; done) >/dev/null & echo done >&2";
  const { ended, stderr } = await wrapped.run("sh", "-c", script);
  Deno.removeSync(`${wrapped.folder}/held`);
  strictEqual(ended, 0);
  match(stderr, /^done\nnix-btm: a process that the command left behind still holds its standard error/);
});

Deno.test("run: a record that is too long for anybody is told to be lost", async () => {
  await using wrapped = new Wrapped();
  const script = `printf '@nix {' >&2; head -c 5000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo after >&2`;
  const { ended, stderr } = await wrapped.run("sh", "-c", script);
  strictEqual(ended, 0);
  strictEqual(
    stderr,
    "after\nnix-btm: Nix wrote a record of more than 4 MiB, which nobody is shown\n",
  );
});

Deno.test("run: a question without a newline is shown before it is answered", async () => {
  await using wrapped = new Wrapped();
  const child = wrapped.spawn(["sh", "-c", `printf 'Sure? ' >&2; read answer; echo "$answer"`], "piped");
  const stderr = child.stderr.getReader();
  const { value } = await stderr.read();
  strictEqual(new TextDecoder().decode(value), "Sure? ");
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode("yes\n"));
  await stdin.close();
  strictEqual(await new Response(child.stdout).text(), "yes\n");
  strictEqual((await child.status).code, 0);
  await stderr.cancel();
});

Deno.test("pipe: reads to the end, also when it is interrupted once", async () => {
  await using wrapped = new Wrapped();
  const child = wrapped.spawn([], "piped");
  const stdin = child.stdin.getWriter();
  const stderr = child.stderr.getReader();
  await stdin.write(new TextEncoder().encode('@nix {"action":"start","id":1}\nfirst\n'));
  strictEqual(new TextDecoder().decode((await stderr.read()).value), "first\n");
  child.kill("SIGINT");
  await stdin.write(new TextEncoder().encode("interrupted\n"));
  strictEqual(new TextDecoder().decode((await stderr.read()).value), "interrupted\n");
  await stdin.close();
  deepStrictEqual([(await child.status).code, await stderr.read()], [0, { value: undefined, done: true }]);
  await child.stdout.cancel();
  ok(wrapped.logged().endsWith("first\ninterrupted\n"));
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`pipe: ${signal} ends the reading, an interrupt when it comes again`, async () => {
    await using wrapped = new Wrapped();
    const child = wrapped.spawn([], "piped");
    const stdin = child.stdin.getWriter();
    const stderr = child.stderr.getReader();
    await stdin.write(new TextEncoder().encode("here\n"));
    await stderr.read();
    let isOver = false;
    const status = child.status.finally(() => isOver = true);
    // Two that come at once are one to the kernel: whoever presses a key again does so later.
    await until("the end", () => {
      if (!isOver) send(child, signal);
      return isOver;
    });
    strictEqual((await status).signal, signal);
    await stdin.abort().catch(() => undefined); // Nobody reads it any more.
    await stderr.cancel();
    await child.stdout.cancel();
  });
}

/** Whoever has just ended cannot be told. */
function send(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}
