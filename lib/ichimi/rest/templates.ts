/** Templates, under upstream's routes. @module */
import { array, boolean, object, optional, record, string } from "../../mcp/mod.ts";
import { EMPTY_TEMPLATE, filled, templateFields } from "../template.ts";
import { maybe, TEMPLATE } from "../tools/schemas.ts";
import { type RestContext, type Route, route } from "./route.ts";
import { DONE, NEW_TEMPLATE, TEMPLATE_CHANGES } from "./shapes.ts";

const tag = "templates";
export function templateRoutes({ host }: RestContext): Route[] {
  const { shelf } = host;
  return [
    route({
      method: "get",
      path: "/templates",
      id: "listTemplates",
      tag,
      summary: "All templates, or some of them",
      query: object({
        category: optional(string()),
        tags: optional(string({ description: "Parted by commas; those that have all of them" })),
      }),
      answer: { status: 200, description: "In the order of their names", schema: array(TEMPLATE) },
      run({ query: { category, tags = "" } }) {
        const wanted = tags.split(",").map((tag) => tag.trim()).filter((tag) => tag !== "");
        return shelf.templates({ category: category ?? null })
          .filter((each) => wanted.every((tag) => each.tags.includes(tag)));
      },
    }),
    route({
      method: "post",
      path: "/templates",
      id: "createTemplate",
      tag,
      summary: "Makes a template; gaps {{name}} in command, args, env and folder are filled when it is used",
      body: NEW_TEMPLATE,
      answer: { status: 201, description: "It is there", schema: TEMPLATE },
      failures: [409, 422],
      run: ({ body: { id: _, name, command, ...given } }) =>
        shelf.createTemplate({ ...EMPTY_TEMPLATE, name, command, ...templateFields(given) }),
    }),
    route({
      method: "get",
      path: "/templates/{id}",
      id: "getTemplate",
      tag,
      summary: "One template, by id or name",
      answer: { status: 200, description: "The template", schema: TEMPLATE },
      failures: [404],
      run: ({ path }) => shelf.template(path.id!),
    }),
    route({
      method: "put",
      path: "/templates/{id}",
      id: "updateTemplate",
      tag,
      summary: "Changes a template",
      body: TEMPLATE_CHANGES,
      answer: { status: 200, description: "The template as it is now", schema: TEMPLATE },
      failures: [404, 409, 422],
      run: ({ path, body }) => shelf.updateTemplate(path.id!, templateFields(body)),
    }),
    route({
      method: "delete",
      path: "/templates/{id}",
      id: "deleteTemplate",
      tag,
      summary: "Removes a template; processes that were made from it stay",
      answer: { status: 204, description: "It is gone" },
      failures: [404],
      run: ({ path }) => void shelf.deleteTemplate(path.id!),
    }),
    route({
      method: "post",
      path: "/templates/{id}/instantiate",
      id: "instantiateTemplate",
      tag,
      summary: "Makes a process from a template",
      body: object({
        process_id: string(),
        values: maybe(record(string(), { description: "What the gaps are filled with" })),
        auto_start: maybe(boolean({ description: "Starts it right now" })),
      }),
      answer: { status: 201, description: "It is there", schema: DONE },
      failures: [404, 409, 422],
      async run({ path, body: { process_id: id, values, auto_start: startNow }, signal }) {
        const template = shelf.template(path.id!);
        const described = {
          id,
          ...filled(template, values ?? {}),
          lifetime: "persistent",
          autoStartOnRestore: template.default_auto_start,
          tags: template.tags,
        } as const;
        if (startNow !== true) await host.create(described);
        else await host.createAndStart(described, { client: undefined, signal });
        return { message: `Process '${id}' created from template '${template.name}'` };
      },
    }),
  ];
}
