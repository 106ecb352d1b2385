/** What is said beside the protocol, read or not. */
import { deepStrictEqual, match, ok } from "node:assert/strict";
import { Aside } from "../../lib/mcp_proxy/aside.ts";

Deno.test("aside: what is said is there in order", async () => {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const aside = new Aside(writable);
  aside.say("one\n");
  aside.say("two\n");
  const reader = readable.getReader();
  const said = [await reader.read(), await reader.read()];
  deepStrictEqual(said.map(({ value }) => new TextDecoder().decode(value)), ["one\n", "two\n"]);
  await aside.end();
});

Deno.test("aside: who does not read holds nobody up, and is told what is missing", async () => {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const aside = new Aside(writable);
  for (let n = 0; n < 100; n++) aside.say("x".repeat(100_000));
  await aside.end();
  const again = new Aside(writable);
  const reader = readable.getReader();
  let bytes = 0;
  while (bytes < 1_100_000) bytes += (await reader.read()).value!.length;
  ok(bytes < 1_200_000, `${bytes}`);
  again.say("and on\n");
  match(new TextDecoder().decode((await reader.read()).value), /^and on\n$/);
  await again.end();
});

Deno.test("aside: pieces that are missing are told where they are", async () => {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const aside = new Aside(writable);
  for (let n = 0; n < 14; n++) aside.say("x".repeat(100_000));
  const reader = readable.getReader();
  for (let n = 0; n < 11; n++) await reader.read();
  aside.say("and on\n");
  deepStrictEqual(
    new TextDecoder().decode((await reader.read()).value),
    "(3 pieces were left out here)\nand on\n",
  );
  await aside.end();
});
