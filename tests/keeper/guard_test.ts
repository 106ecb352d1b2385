/** Commands under a guard: they end as themselves, and never outlive whoever started them. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { guarded } from "../../ffi/keeper/mod.ts";
import { until } from "./_log.ts";

/** Runs a script of the shell under a guard with pipes for all three. */
function run(script: string, graceMs = 60_000): Deno.ChildProcess {
  const [program, ...args] = guarded(["/bin/sh", "-c", script], graceMs);
  return new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  })
    .spawn();
}

async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0]!;
}

/** Whether a process is there and not only waits to be looked at. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("guard: the command has the pipes, and its exit code is the guard's", async () => {
  const child = run('read line; echo "got $line"; echo bad >&2; exit 7');
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("hello\n"));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  deepStrictEqual([code, text(stdout), text(stderr)], [7, "got hello\n", "bad\n"]);
});

Deno.test("guard: a command that a signal ended is told so, and one that is not there as a shell does", async () => {
  const killed = run("kill -9 $$");
  await killed.stdin.close();
  strictEqual((await killed.output()).signal, "SIGKILL");
  const [program, ...args] = guarded(["/nowhere/at/all"], 0);
  const { code, stderr } = await new Deno.Command(program, { args, stdin: "null", stderr: "piped" }).output();
  deepStrictEqual(
    [code, new TextDecoder().decode(stderr)],
    [127, 'cannot run "/nowhere/at/all": No such file or directory\n'],
  );
});

Deno.test("guard: the end of the command is seen at its pipe, and what it left behind is killed", async () => {
  const child = run("setsid sleep 1000 & echo $!; exit 3");
  await child.stdin.close();
  const { code, stdout } = await child.output();
  strictEqual(code, 3);
  ok(!lives(Number(new TextDecoder().decode(stdout))));
});

Deno.test("guard: whoever is not its parent is no owner, and nothing is started", async () => {
  const [program] = guarded(["true"], 0);
  for (
    const [owner, words] of [["1", "not the one that starts"], ["x", "usage"], ["999999999", "cannot watch"]]
  ) {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: ["--guard", `${owner}:0`, "--", "/bin/echo", "started"],
      stdin: "null",
    }).output();
    ok(code !== 0);
    strictEqual(stdout.length, 0);
    ok(new TextDecoder().decode(stderr).includes(words!), owner);
  }
});

for (const [signal, ends] of [["SIGTERM", 5], ["SIGUSR1", "SIGKILL"]] as const) {
  Deno.test(`guard: ${signal} ends the command with ${ends}`, async () => {
    const child = run("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done");
    await child.stdin.close();
    strictEqual(await firstLine(child.stdout), "ready");
    child.kill(signal);
    const { code, signal: by } = await child.status;
    strictEqual(by ?? code, ends);
    await child.stderr.cancel();
  });
}

Deno.test("guard: a command that does not listen is killed after the grace", async () => {
  const child = run("trap '' TERM; echo ready; while :; do sleep 0.01; done", 50);
  await child.stdin.close();
  strictEqual(await firstLine(child.stdout), "ready");
  child.kill("SIGTERM");
  strictEqual((await child.status).signal, "SIGKILL");
  await child.stderr.cancel();
});

Deno.test("guard: when its owner is killed the whole tree ends", async () => {
  const [program] = guarded(["true"], 0);
  // The owner has to be the parent: here a shell, which tells its own pid.
  const owner = new Deno.Command("/bin/sh", {
    args: [
      ...["-c", '"$0" --guard $$:50 -- /bin/sh -c "$1" & wait'],
      ...[program, "setsid sleep 1000 & echo $! $$; sleep 1000"],
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const pids = (await firstLine(owner.stdout)).split(" ").map(Number);
  ok(pids.length === 2 && pids.every(lives), String(pids));
  owner.kill("SIGKILL");
  await owner.status;
  await until("the end of the tree", () => !pids.some(lives));
});
