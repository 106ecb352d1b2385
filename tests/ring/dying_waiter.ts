/** Dies of an error while native waits are under way, that end one after the other meanwhile. @module */
import { createDoorbell, ring } from "../../ffi/ring/mod.ts";

const bell = createDoorbell(`${Deno.args[0]}/bell`);
for (let wait = 0; wait < 40; wait++) void ring().doorbell_wait(bell, 1_000_000n + 100_000n * BigInt(wait));
setTimeout(() => {
  throw new Error("on purpose");
}, 1);
