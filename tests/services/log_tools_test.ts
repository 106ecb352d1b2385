/** What tools answer about logs, of bpm's processes and of assistants'. */
import { deepStrictEqual } from "node:assert/strict";
import { serviceResources } from "../../lib/services/mod.ts";
import { World } from "../ichimi/_world.ts";

const never = new AbortController().signal;

Deno.test("a log that says that nothing was found has said something", async () => {
  for (const words of ["(empty)", "No matches found"]) {
    await using world = new World();
    await world.host.start(never);
    const assistant = world.assistant();
    await assistant.run("p", `echo '${words}'`);
    await assistant.call("wait", { process: "p", exit: true });
    const { text, structured } = await assistant.ask("search_logs", { process: "p" });
    deepStrictEqual([text, structured], [words, { found: true, lines: [words] }]);
    const [log] = await serviceResources(world.host).read("ichimi://process/p/log", never) ?? [];
    deepStrictEqual(log, { uri: "ichimi://process/p/log", mimeType: "text/plain", text: words });
    const none = await assistant.ask("search_logs", { process: "p", pattern: "other" });
    deepStrictEqual([none.text, none.structured], ["No matches found", { found: false, lines: [] }]);
  }
});
