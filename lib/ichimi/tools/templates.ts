/** Templates, under upstream's names. @module */
import { array, boolean, defineTool, object, record, string } from "../../mcp/mod.ts";
import { HostError, orToolError } from "../../services/mod.ts";
import {
  EMPTY_TEMPLATE,
  filled,
  type GivenFields,
  TemplateError,
  type TemplateFields,
  templateFields,
} from "../template.ts";
import { permission } from "./allowed.ts";
import { maybe, TEMPLATE, TEMPLATE_FIELDS } from "./schemas.ts";
import { processId, type ToolMaker } from "./tool.ts";

const LOOKS = { readOnlyHint: true, openWorldHint: false };
const CHANGES = { destructiveHint: false, openWorldHint: false };
const TEMPLATE_ID = string({ description: "Id or name of the template" });

/** As upstream's `GetTemplateRequest` and `DeleteTemplateRequest` have it. */
const WHICH = { id: maybe(TEMPLATE_ID), name: maybe(string({ description: "Instead of the id" })) };

function wanted({ id, name }: { readonly id?: string | null; readonly name?: string | null }): string {
  const given = id ?? name;
  if (given == null) throw new HostError("Give id or name");
  return given;
}

const FIELDS = {
  ...TEMPLATE_FIELDS,
  cwd: maybe(string()),
  auto_start_on_restore: maybe(boolean()),
};

export const createTemplate: ToolMaker = ({ host: { shelf } }) =>
  defineTool({
    name: "create_template",
    description:
      "Create a process template; gaps {{name}} in command, args, env and cwd are filled when it is used",
    annotations: CHANGES,
    input: object({ name: string(), command: string(), ...FIELDS }),
    output: TEMPLATE,
    run: ({ name, command, ...given }) =>
      orToolError(() =>
        answer(shelf.createTemplate({ ...EMPTY_TEMPLATE, name, command, ...fieldsOf(given) }))
      ),
  });

export const listTemplates: ToolMaker = ({ host: { shelf } }) =>
  defineTool({
    name: "list_templates",
    description: "List process templates",
    annotations: LOOKS,
    input: object({ category: maybe(string()), tag: maybe(string()) }),
    output: object({ templates: array(TEMPLATE) }),
    run(filter) {
      const templates = shelf.templates({ category: filter.category ?? null, tag: filter.tag ?? null });
      return { text: JSON.stringify(templates, null, 2), structured: { templates } };
    },
  });

export const getTemplate: ToolMaker = ({ host: { shelf } }) =>
  defineTool({
    name: "get_template",
    description: "Get a process template",
    annotations: LOOKS,
    input: object(WHICH),
    output: TEMPLATE,
    run: (asked) => orToolError(() => answer(shelf.template(wanted(asked)))),
  });

export const updateTemplate: ToolMaker = ({ host: { shelf } }) =>
  defineTool({
    name: "update_template",
    description: "Update a process template",
    annotations: { ...CHANGES, idempotentHint: true },
    input: object({ id: TEMPLATE_ID, name: maybe(string()), command: maybe(string()), ...FIELDS }),
    output: TEMPLATE,
    run: ({ id, ...given }) => orToolError(() => answer(shelf.updateTemplate(id, fieldsOf(given)))),
  });

export const deleteTemplate: ToolMaker = ({ host: { shelf } }) =>
  defineTool({
    name: "delete_template",
    description: "Delete a process template",
    annotations: { destructiveHint: true, openWorldHint: false },
    input: object(WHICH),
    output: object({ id: string(), name: string() }),
    run: (asked) =>
      orToolError(() => {
        const { template_id, name } = shelf.deleteTemplate(wanted(asked));
        return { text: `Template '${name}' deleted successfully`, structured: { id: template_id, name } };
      }),
  });

export const createProcessFromTemplate: ToolMaker = ({ host, client }) =>
  defineTool({
    name: "create_process_from_template",
    description: "Create a process from a template",
    annotations: CHANGES,
    input: object({
      template_id: maybe(TEMPLATE_ID),
      template_name: maybe(string()),
      process_id: processId,
      variables: maybe(record(string(), { description: "What the gaps {{name}} are filled with" })),
      override_args: maybe(array(string())),
      override_env: maybe(record(string(), { description: "Beside the template's" })),
      override_cwd: maybe(string()),
      auto_start: maybe(boolean({ description: "Start it right now" })),
    }),
    output: object({ id: string(), template: string() }),
    run: (asked, context) =>
      orToolError(async () => {
        const wanted = asked.template_id ?? asked.template_name;
        if (wanted == null) throw new HostError("Give template_id or template_name");
        const template = host.shelf.template(wanted);
        const made = gaps(() => filled(template, asked.variables ?? {}));
        const process = {
          id: asked.process_id,
          command: made.command,
          args: asked.override_args ?? made.args,
          env: { ...made.env, ...asked.override_env },
          cwd: asked.override_cwd ?? made.cwd,
          autoStartOnRestore: template.default_auto_start,
          tags: template.tags,
          project: client?.folder ?? null,
        };
        const { id } = process;
        const startsNow = asked.auto_start === true;
        const permitted = startsNow ? await permission(host, context, process) : undefined;
        let started = "";
        if (!startsNow) await host.create(process);
        else {
          const pid = await host.createAndStart(process, { client, signal: context.signal, permitted });
          started = ` and started with PID ${pid}`;
        }
        return {
          text: `Process '${id}' created from template '${template.name}'${started}`,
          structured: { id, template: template.name },
        };
      }),
  });

/** What is given, under the names of a template. */
function fieldsOf(
  { cwd, auto_start_on_restore, ...given }: GivenFields & {
    readonly cwd?: string | null | undefined;
    readonly auto_start_on_restore?: boolean | null | undefined;
  },
): Partial<TemplateFields> {
  return templateFields({ ...given, default_cwd: cwd, default_auto_start: auto_start_on_restore });
}

function answer<T extends object>(template: T) {
  return { text: JSON.stringify(template, null, 2), structured: template };
}

/** What is missing is for the client to hear. */
function gaps<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof TemplateError) throw new HostError(error.message, { cause: error });
    throw error;
  }
}
