/** What the ring takes of updates, and what it cannot. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Publisher } from "../../lib/nix_btm/publisher.ts";

Deno.test("a row that is too large for the ring is counted, and those beside it are published", () => {
  const folder = Deno.makeTempDirSync({ prefix: "nix-btm-" });
  try {
    using publisher = new Publisher(`${folder}/updates.ring`);
    const before = publisher.snapshot(new Map()).position;
    const lines = ["small", "x".repeat(2 ** 23), "small as well"].map((line, job) => ({
      job,
      lines: [line],
    }));
    publisher.publish({ host: "", update: { lines } });
    strictEqual(publisher.dropped, 1);
    ok(publisher.snapshot(new Map()).position > before);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the ring is there to read for the group whose members may be clients, also a new one, and for nobody else", () => {
  const folder = Deno.makeTempDirSync({ prefix: "nix-btm-" });
  const path = `${folder}/updates.ring`;
  const rights = () => {
    const { mode, gid } = Deno.statSync(path);
    return [mode! & 0o777, gid];
  };
  // Root may name any group, others only one of theirs.
  const group = Deno.uid() === 0 ? 60 : Deno.gid()!;
  try {
    {
      using publisher = new Publisher(path, { gid: group });
      deepStrictEqual(rights(), [0o640, group]);
      Deno.removeSync(path);
      publisher.beat();
      deepStrictEqual(rights(), [0o640, group]);
    }
    using _alone = new Publisher(path);
    strictEqual(rights()[0], 0o600);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
