/** Templates: made, changed, and filled. @module */
import { computed, signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { TypeOf } from "../../mcp/mod.ts";
import type { TEMPLATE } from "../tools/schemas.ts";
import { goToNew } from "./acts.ts";
import { ask, pathOf, request, say } from "./api.ts";
import { Collection } from "./collection.tsx";
import { Button, Check, confirmed, Field } from "./controls.tsx";
import { FormDialog } from "./form_dialog.tsx";
import { lineText } from "./format.ts";
import { TemplateForm } from "./template_form.tsx";
import { words } from "./words.ts";

export type Template = TypeOf<typeof TEMPLATE>;

const templates = signal<readonly Template[] | undefined>(undefined);
const editing = signal<Template | "new" | undefined>(undefined);
const using = signal<Template | undefined>(undefined);

async function load(): Promise<void> {
  templates.value = await ask<readonly Template[]>("GET", "/templates") ?? templates.value;
}

export function Templates() {
  const w = words.value;
  return (
    <>
      <Collection
        page="templates"
        texts={{ create: w.newTemplate, none: w.noTemplates, noneMore: w.noTemplatesMore }}
        items={templates.value}
        load={load}
        create={() => editing.value = "new"}
      >
        {(found) => (
          <div class="tiles">
            {found.map((each) => <Tile key={each.template_id} template={each} />)}
          </div>
        )}
      </Collection>
      {editing.value !== undefined && (
        <TemplateForm
          of={editing.value}
          onSaved={() => void load()}
          onClose={() => editing.value = undefined}
        />
      )}
      {using.value !== undefined && (
        <UseForm
          template={using.value}
          onClose={() => using.value = undefined}
        />
      )}
    </>
  );
}

function Tile({ template }: { template: Template }) {
  const w = words.value;
  const { name, description, category, command, args, tags } = template;
  return (
    <section class="card tile" aria-label={name}>
      <header>
        <h2>{name}</h2>
        {category !== null && <span class="tag">{category}</span>}
      </header>
      {description !== null && <p>{description}</p>}
      <code class="line">{lineText(command, args)}</code>
      <p class="tags">
        {gapsOf(template).map((gap) => <span key={gap} class="tag gap">{gap}</span>)}
        {tags.map((tag) => <span key={tag} class="tag">{tag}</span>)}
      </p>
      <footer>
        <Button icon="start" label={w.useTemplate} kind="main" onClick={() => using.value = template} />
        <Button icon="edit" label={w.edit} iconOnly kind="quiet" onClick={() => editing.value = template} />
        <Button
          icon="remove"
          label={w.remove}
          iconOnly
          kind="quiet"
          onClick={() => void removeTemplate(template)}
        />
      </footer>
    </section>
  );
}

async function removeTemplate({ template_id: id, name }: Template): Promise<void> {
  const w = words.value;
  const isMeant = await confirmed({
    title: w.confirmRemoveTemplate(name),
    text: w.processesStay,
    action: w.remove,
  });
  if (!isMeant) return;
  await ask("DELETE", `/templates${pathOf(id)}`);
  say("good", w.removed(name));
  await load();
}

const GAP = /\{\{\s*([^{}\s]+)\s*\}\}/g;

/** Names of all gaps, those that are described first. */
function gapsOf({ variables, command, args, env, default_cwd }: Template): string[] {
  const texts = [command, ...args, ...Object.values(env), default_cwd ?? ""];
  const used = texts.flatMap((text) => [...text.matchAll(GAP)].map(([, name]) => name!));
  return [...new Set([...variables.map(({ name }) => name), ...used])];
}

/** Fills the gaps of a template. */
function UseForm({ template, onClose }: { template: Template; onClose: () => void }) {
  const w = words.value;
  const known = new Map(template.variables.map((each) => [each.name, each]));
  const id = useSignal("");
  const startNow = useSignal(true);
  const values = useMemo(
    () => gapsOf(template).map((name) => ({ name, value: signal(known.get(name)?.default_value ?? "") })),
    [template],
  );
  const preview = useMemo(() =>
    computed(() => {
      const given = new Map(values.map(({ name, value }) => [name, value.value]));
      const fill = (text: string) => text.replaceAll(GAP, (gap, name: string) => given.get(name) || gap);
      return lineText(fill(template.command), template.args.map(fill));
    }), [template]);
  const send = () => {
    // What is left empty and has a default, or is not needed, is for the daemon to fill.
    const given = values.filter(({ value }) => value.value !== "");
    return request("POST", `/templates${pathOf(template.template_id, "instantiate")}`, {
      process_id: id.value.trim(),
      values: Object.fromEntries(given.map((each) => [each.name, each.value.value])),
    });
  };
  return (
    <FormDialog
      title={w.useTemplateTitle(template.name)}
      action={w.create}
      send={send}
      done={() => goToNew(id.value.trim(), startNow.value)}
      onClose={onClose}
    >
      <div class="fields">
        <Field label={w.identifier} value={id} required />
        {values.map(({ name, value }) => {
          const { description, required = true, default_value } = known.get(name) ?? {};
          return (
            <Field
              key={name}
              label={name}
              value={value}
              required={required && default_value == null}
              {...description == null ? {} : { help: description }}
            />
          );
        })}
        <div class="preview">
          <span>{w.preview}</span>
          <code>{preview.value}</code>
        </div>
        <Check label={w.startNow} value={startNow} />
      </div>
    </FormDialog>
  );
}
