/** The form in which a template is described. @module */
import { type Signal, signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { pathOf, request, say } from "./api.ts";
import { Button, Check, Field } from "./controls.tsx";
import { FormDialog } from "./form_dialog.tsx";
import { linesOf, variablesOf } from "./process_form.tsx";
import type { Template } from "./templates.tsx";
import { words } from "./words.ts";

interface VariableFields {
  readonly name: Signal<string>;
  readonly description: Signal<string>;
  readonly defaultValue: Signal<string>;
  readonly required: Signal<boolean>;
}

export function TemplateForm(
  { of, onSaved, onClose }: { of: Template | "new"; onSaved: () => void; onClose: () => void },
) {
  const w = words.value;
  const before = of === "new" ? undefined : of;
  const fields = useMemo(() => ({
    name: signal(before?.name ?? ""),
    description: signal(before?.description ?? ""),
    category: signal(before?.category ?? ""),
    command: signal(before?.command ?? ""),
    args: signal(before?.args.join("\n") ?? ""),
    env: signal(Object.entries(before?.env ?? {}).map(([name, value]) => `${name}=${value}`).join("\n")),
    cwd: signal(before?.default_cwd ?? ""),
    tags: signal(before?.tags.join(", ") ?? ""),
    autoStart: signal(before?.default_auto_start ?? false),
  }), []);
  const variables = useSignal<readonly VariableFields[]>((before?.variables ?? []).map((each) => ({
    name: signal(each.name),
    description: signal(each.description ?? ""),
    defaultValue: signal(each.default_value ?? ""),
    required: signal(each.required),
  })));
  const send = () => {
    const { name, description, category, command, args, env, cwd, tags, autoStart } = fields;
    const body = {
      name: name.value.trim(),
      description: description.value.trim(),
      category: category.value.trim(),
      command: command.value.trim(),
      args: linesOf(args.value),
      env: variablesOf(env.value),
      default_cwd: cwd.value.trim(),
      tags: tags.value.split(",").map((tag) => tag.trim()).filter((tag) => tag !== ""),
      default_auto_start: autoStart.value,
      variables: variables.value.filter((each) => each.name.value.trim() !== "").map((each) => ({
        name: each.name.value.trim(),
        description: each.description.value.trim() || null,
        default_value: each.defaultValue.value || null,
        required: each.required.value,
      })),
    };
    return before === undefined
      ? request("POST", "/templates", body)
      : request("PUT", `/templates${pathOf(before.template_id)}`, body);
  };
  const done = () => {
    say("good", w.saved);
    onSaved();
  };
  const addVariable = () => {
    const made = {
      name: signal(""),
      description: signal(""),
      defaultValue: signal(""),
      required: signal(true),
    };
    variables.value = [...variables.value, made];
  };
  return (
    <FormDialog
      title={before === undefined ? w.newTemplate : w.editTemplate}
      action={w.save}
      send={send}
      done={done}
      onClose={onClose}
      wide
    >
      <p class="hint">{w.templateGaps}</p>
      <div class="fields">
        <Field label={w.name} value={fields.name} required />
        <Field label={w.category} value={fields.category} />
        <Field label={w.description} value={fields.description} />
        <Field label={w.tags} help={w.tagsHelp} value={fields.tags} />
        <Field label={w.command} value={fields.command} required mono />
        <Field label={w.folder} value={fields.cwd} mono />
        <Field label={w.args} help={w.argsHelp} value={fields.args} lines={3} mono />
        <Field label={w.environment} help={w.environmentHelp} value={fields.env} lines={3} mono />
      </div>
      <fieldset class="variables">
        <legend>{w.variables}</legend>
        {variables.value.map((each, at) => (
          <div key={at}>
            <Field label={w.name} value={each.name} mono />
            <Field label={w.description} value={each.description} />
            <Field label={w.defaultValue} value={each.defaultValue} mono />
            <Check label={w.required} value={each.required} />
            <Button
              icon="close"
              label={w.remove}
              iconOnly
              kind="quiet"
              onClick={() => variables.value = variables.value.filter((other) => other !== each)}
            />
          </div>
        ))}
        <Button icon="plus" label={w.addVariable} kind="quiet" onClick={addVariable} />
      </fieldset>
      <Check label={w.autoStart} value={fields.autoStart} />
    </FormDialog>
  );
}
