/** A server that is killed again and again under load: every call is answered once. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Behind, type Json } from "./behind.ts";

const KILLS = 50;
const CONCURRENT = 200;

Deno.test(`a server is killed ${KILLS} times under ${CONCURRENT} calls, and each is answered once`, async () => {
  await using client = new Behind({ limits: { settleMs: 0, backoffMs: 10, waitMs: 60_000 } });
  await client.begin();
  const open = new Map<number, string>();
  const ends = { answered: 0, lost: 0 };
  let pid = 0;
  let kills = 0;
  let twice = 0;
  const start = async (name: string, input: Record<string, unknown> = {}) => {
    open.set(await client.call(name, input), name);
  };
  const refill = async () => {
    while (kills < KILLS && open.size < CONCURRENT) {
      const n = open.size + ends.answered + ends.lost;
      if (n % 3 === 0) await start("count");
      else await start("wait", { ms: n % 7 });
    }
  };
  const filling = refill();
  await filling;
  await start("lines");
  while (open.size > 0) {
    const answer: Json = await client.receive();
    if (answer.method !== undefined) continue;
    const name = open.get(answer.id);
    if (name === undefined) {
      twice++;
      continue;
    }
    open.delete(answer.id);
    if (answer.error === undefined) ends.answered++;
    else {
      ends.lost++;
      const { code, message, data } = answer.error;
      deepStrictEqual([code, data.signal], [-32010, "SIGKILL"], message);
      // What does no harm is given up only when it was lost three times.
      strictEqual(data.sends, ["count", "lines"].includes(name) ? 1 : 3, message);
    }
    if (name === "lines") {
      if (answer.error === undefined) {
        pid = JSON.parse(answer.result.content[0].text).pid;
        Deno.kill(pid, "SIGKILL");
        kills++;
      }
      if (kills < KILLS) await start("lines");
    }
    await refill();
  }
  deepStrictEqual({ kills, twice }, { kills: KILLS, twice: 0 });
  ok(ends.answered > KILLS * 10, JSON.stringify(ends));
  ok(ends.lost > 0);
  strictEqual(await client.text("echo", { text: "still there" }), "still there");
});
