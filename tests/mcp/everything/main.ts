/** The fixture as a program: `main.ts stdio`, or `main.ts http PORT` (0: any; the address is printed). */
import { mcpRoutes, serveStdio } from "../../../lib/mcp/mod.ts";
import { listen } from "../../../lib/web/mod.ts";
import { everything, INFO } from "./mod.ts";

const quiet = { onError: () => {} };
if (Deno.args[0] === "stdio") await serveStdio(everything(), INFO, quiet);
else {
  await using routes = mcpRoutes(everything(), INFO, quiet);
  const port = Number(Deno.args[1] ?? 0);
  await using server = await listen(
    { kind: "tcp", host: "127.0.0.1", port },
    (request) => routes.fetch(request),
  );
  console.log(JSON.stringify(server.address));
  await server.finished;
}
