/** Signs of life of late answers. */
import { ok, strictEqual } from "node:assert/strict";
import { withHeartbeat } from "../../lib/mcp/heartbeat.ts";

Deno.test("an answer that takes no notice of its client's going shows no signs of life any more", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  let gone = false;
  const answer = (request: Request) => {
    request.signal.addEventListener("abort", () => gone = true);
    return promise;
  };
  const late = await withHeartbeat(new Request("http://localhost/"), answer, { everyMs: 5, as: "json" });
  const reader = late.body!.getReader();
  strictEqual(new TextDecoder().decode((await reader.read()).value), "\n");
  // A beat into a stream that was cancelled would be an error that nobody catches, and the end of the process.
  await reader.cancel();
  ok(gone);
  await new Promise((done) => setTimeout(done, 50));
  resolve(new Response("too late"));
});
