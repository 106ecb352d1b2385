/** Templates: made, changed, and filled. @module */
import { computed, signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { TypeOf } from "../../mcp/mod.ts";
import type { TEMPLATE } from "../tools/schemas.ts";
import { start } from "./acts.ts";
import { ApiError, ask, pathOf, request, say } from "./api.ts";
import { Button, Check, confirmed, Dialog, Empty, Field } from "./controls.tsx";
import { lineText } from "./format.ts";
import { pageKeys } from "./keys.ts";
import { go } from "./state.ts";
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
  useEffect(() => {
    void load();
    pageKeys.value = { create: () => editing.value = "new" };
    return () => pageKeys.value = {};
  }, []);
  const found = templates.value;
  const create = (
    <Button
      icon="plus"
      label={w.newTemplate}
      kind="main"
      onClick={() => editing.value = "new"}
    />
  );
  return (
    <>
      <header class="top">
        <h1>{w.pages.templates}</h1>
        <div class="tools">{create}</div>
      </header>
      {found === undefined
        ? null
        : found.length === 0
        ? <Empty icon="templates" title={w.noTemplates} more={w.noTemplatesMore}>{create}</Empty>
        : (
          <div class="tiles">
            {found.map((each) => <Tile key={each.template_id} template={each} />)}
          </div>
        )}
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
  const problem = useSignal<string | undefined>(undefined);
  const preview = useMemo(() =>
    computed(() => {
      const given = new Map(values.map(({ name, value }) => [name, value.value]));
      const fill = (text: string) => text.replaceAll(GAP, (gap, name: string) => given.get(name) || gap);
      return lineText(fill(template.command), template.args.map(fill));
    }), [template]);
  const save = async (event: Event) => {
    event.preventDefault();
    const name = id.value.trim();
    // What is left empty and has a default, or is not needed, is for the daemon to fill.
    const given = values.filter(({ value }) => value.value !== "");
    try {
      await request("POST", `/templates${pathOf(template.template_id, "instantiate")}`, {
        process_id: name,
        values: Object.fromEntries(given.map((each) => [each.name, each.value.value])),
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.value = error.message;
      return;
    }
    onClose();
    go("processes", name);
    if (startNow.value) await start(name);
    else say("good", w.created(name));
  };
  return (
    <Dialog title={w.useTemplateTitle(template.name)} onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
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
        {problem.value !== undefined && <p class="problem" role="alert">{problem.value}</p>}
        <footer>
          <Button label={w.cancel} onClick={onClose} />
          <Button label={w.create} kind="main" submits />
        </footer>
      </form>
    </Dialog>
  );
}
