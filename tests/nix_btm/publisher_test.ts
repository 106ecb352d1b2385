/** What the ring takes of updates, and what it cannot. */
import { ok, strictEqual } from "node:assert/strict";
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
