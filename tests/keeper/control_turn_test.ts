/** Many who talk to one keeper at the same time. */
import { strictEqual } from "node:assert/strict";
import { KeeperControl } from "../../lib/keeper/mod.ts";

Deno.test("who finds a keeper's queue full waits for his turn", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "keeper-turn-" });
  // Stands for a keeper that is busy: it takes nobody until it is told to.
  const script = `
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(0)
print("listening", flush=True)
sys.stdin.readline()
held = []
while True:
    held.append(s.accept())
`;
  const keeper = new Deno.Command("/usr/bin/python3", {
    args: ["-c", script, `${folder}/control`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const said = keeper.stdout.getReader();
  await said.read();
  const opening = Array.from({ length: 8 }, () => KeeperControl.open(folder));
  const first = await Promise.race(opening);
  first[Symbol.dispose]();
  const writer = keeper.stdin.getWriter();
  await writer.write(new TextEncoder().encode("go\n"));
  const open = await Promise.all(opening);
  strictEqual(open.length, 8);
  for (const each of open.filter((one) => one !== first)) each[Symbol.dispose]();
  await writer.close();
  keeper.kill("SIGTERM");
  await keeper.status;
  await said.cancel();
  Deno.removeSync(folder, { recursive: true });
});
