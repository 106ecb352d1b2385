/** Both eras over HTTP, on the protocol's library. Imported dynamically only. @module */
import { createMcpHandler } from "@modelcontextprotocol/server";
import type { Engine } from "./_engine.ts";
import { HouseServer } from "./_server.ts";
import { Sessions } from "./_sessions.ts";
import { boundUnread } from "./unread.ts";

/** Opens the two eras of one engine. */
export function openEras(engine: Engine) {
  const sessions = new Sessions(engine);
  const handler = createMcpHandler(() => new HouseServer(engine, "modern"), {
    legacy: "reject",
    maxSubscriptions: engine.limits.subscriptions,
    maxRequestBodySize: engine.limits.bodyBytes,
    keepAliveMs: engine.limits.heartbeatMs,
  });
  const stop = engine.onChange((change) => {
    if (change.kind === "updated") handler.notify.resourceUpdated(change.uri);
    else handler.notify.resourcesChanged();
  });
  return {
    stateless: async (request: Request, parsedBody?: unknown): Promise<Response> =>
      boundUnread(await handler.fetch(request, { parsedBody }), engine.limits.unreadBytes),
    session: (
      request: Request,
      id: string | undefined,
      parsedBody?: unknown,
    ): Promise<Response | undefined> => sessions.handle(request, id, parsedBody, Date.now()),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      stop();
      await handler.close();
      await sessions[Symbol.asyncDispose]();
    },
  };
}
