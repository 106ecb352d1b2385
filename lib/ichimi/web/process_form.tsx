/** The form in which a process is described. @module */
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { goToNew } from "./acts.ts";
import { pathOf, request, say } from "./api.ts";
import { Check, Field } from "./controls.tsx";
import { FormDialog } from "./form_dialog.tsx";
import type { Process } from "./state.ts";
import { words } from "./words.ts";

/** @param of What is to be changed; `new` makes another one. */
export function ProcessForm({ of, onClose }: { of: Process | "new"; onClose: () => void }) {
  const w = words.value;
  const info = of === "new" ? undefined : of.live.value.info;
  const fields = useMemo(() => ({
    id: signal(info?.id ?? ""),
    command: signal(info?.command ?? ""),
    args: signal(info?.args.join("\n") ?? ""),
    cwd: signal(info?.cwd ?? ""),
    env: signal(Object.entries(info?.env ?? {}).map(([name, value]) => `${name}=${value}`).join("\n")),
    tags: signal(info?.tags?.join(", ") ?? ""),
    lifetime: signal<string>(info?.lifetime ?? "persistent"),
    restart: signal<string>(info?.restart ?? "never"),
    input: signal<string>(info?.input ?? "none"),
    autoStart: signal(info?.auto_start_on_restore ?? false),
    startNow: signal(of === "new"),
  }), []);
  const send = () => {
    const { command, args, cwd, env, tags, lifetime, restart, input, autoStart } = fields;
    const body = {
      command: command.value.trim(),
      args: linesOf(args.value),
      env: variablesOf(env.value),
      tags: tags.value.split(",").map((tag) => tag.trim()).filter((tag) => tag !== ""),
      lifetime: lifetime.value,
      restart: restart.value,
      input: input.value,
      auto_start_on_restore: autoStart.value,
      cwd: cwd.value.trim(),
    };
    return of === "new"
      ? request("POST", "/processes", { id: nameOf(), ...body })
      : request("PUT", `/processes${pathOf(nameOf())}`, body);
  };
  const nameOf = () => fields.id.value.trim();
  const done = () => of === "new" ? goToNew(nameOf(), fields.startNow.value) : say("good", w.saved);
  const choices = <K extends string>(texts: Readonly<Record<K, string>>) =>
    (Object.keys(texts) as K[]).map((value) => ({ value, text: texts[value] }));
  return (
    <FormDialog
      title={info === undefined ? w.newProcess : w.editProcess(info.id)}
      action={of === "new" ? w.create : w.save}
      send={send}
      done={done}
      onClose={onClose}
      wide
    >
      <div class="fields">
        {of === "new" && <Field label={w.identifier} value={fields.id} required />}
        <Field label={w.command} value={fields.command} required mono />
        <Field label={w.args} help={w.argsHelp} value={fields.args} lines={3} mono />
        <Field label={w.environment} help={w.environmentHelp} value={fields.env} lines={3} mono />
        <Field label={w.folder} help={w.folderHelp} value={fields.cwd} mono />
        <Field label={w.tags} help={w.tagsHelp} value={fields.tags} />
        <Field label={w.restartPolicy} value={fields.restart} choices={choices(w.restarts)} />
        <Field label={w.lifetime} value={fields.lifetime} choices={choices(w.lifetimes)} />
        <Field label={w.input} value={fields.input} choices={choices(w.inputs)} />
        <div class="checks">
          <Check label={w.autoStart} value={fields.autoStart} />
          {of === "new" && <Check label={w.startNow} value={fields.startNow} />}
        </div>
      </div>
      {of !== "new" && <p class="hint">{w.nextStart}</p>}
    </FormDialog>
  );
}

/** One text on each line; empty lines say nothing. */
export function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.replace(/\r$/, "")).filter((line) => line !== "");
}

/** `NAME=value` on each line. */
export function variablesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    linesOf(text).map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1)];
    }),
  );
}
