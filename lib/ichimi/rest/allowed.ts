/** What may be started where, and what a person has allowed for good, to be looked at and taken back. @module */
import { type RestContext, type Route, route } from "./route.ts";
import { ALLOWED, LEARNED } from "./shapes.ts";

const tag = "allowed";
export function allowedRoutes({ host: { allowed } }: Pick<RestContext, "host">): Route[] {
  return [
    route({
      method: "get",
      path: "/allowed",
      id: "getAllowed",
      tag,
      summary:
        "What may be started where: by the configuration, and because a person has allowed it for good",
      answer: { status: 200, description: "Everything may be where no rule is", schema: ALLOWED },
      run: () => ({ rules: allowed.rules, learned: allowed.learned }),
    }),
    route({
      method: "delete",
      path: "/allowed",
      id: "removeAllowed",
      tag,
      summary: "Takes back what a person has allowed for good; what runs goes on",
      query: LEARNED,
      answer: { status: 204, description: "It is asked for again" },
      failures: [404],
      run: ({ query }) => allowed.remove(query),
    }),
  ];
}
