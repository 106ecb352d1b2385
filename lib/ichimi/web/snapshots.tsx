/** Snapshots: kept, restored, taken elsewhere. @module */
import { signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { TypeOf } from "../../mcp/mod.ts";
import type { SNAPSHOT_FILE } from "../rest/shapes.ts";
import { ask, pathOf, request, say } from "./api.ts";
import { Collection } from "./collection.tsx";
import { Button, Check, confirmed, Field } from "./controls.tsx";
import { FormDialog } from "./form_dialog.tsx";
import { bytesText, dateText } from "./format.ts";
import { Icon } from "./icons.tsx";
import { words } from "./words.ts";

type SnapshotFile = TypeOf<typeof SNAPSHOT_FILE>;

interface Taken {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly skipped: readonly string[];
}

const FORMATS = ["yaml", "kdl", "json"] as const;
const files = signal<readonly SnapshotFile[] | undefined>(undefined);
const isMaking = signal(false);

async function load(): Promise<void> {
  files.value = await ask<readonly SnapshotFile[]>("GET", "/snapshots") ?? files.value;
}

export function Snapshots() {
  const w = words.value;
  return (
    <>
      <Collection
        page="snapshots"
        texts={{ create: w.newSnapshot, none: w.noSnapshots, noneMore: w.noSnapshotsMore }}
        items={files.value}
        load={load}
        create={() => isMaking.value = true}
        tools={
          <>
            <Import />
            <Export />
          </>
        }
      >
        {(found) => (
          <ul class="card rows">
            {found.map((file) => <Row key={file.name} file={file} />)}
          </ul>
        )}
      </Collection>
      {isMaking.value && <SnapshotForm onClose={() => isMaking.value = false} />}
    </>
  );
}

function Row({ file: { name, format, size_bytes, modified_at } }: { file: SnapshotFile }) {
  const w = words.value;
  return (
    <li>
      <Icon name="snapshots" />
      <div class="what">
        <b>{name}</b>
        <small>
          {dateText(modified_at)} · {bytesText(size_bytes)}
        </small>
      </div>
      <span class="tag">{format.toUpperCase()}</span>
      <div class="acts">
        <Button icon="restore" label={w.restore} onClick={() => void restore(name)} />
        <a
          class="button quiet icon-only"
          href={`/api/snapshots${pathOf(name)}`}
          download={name}
          aria-label={`${w.download} ${name}`}
          title={w.download}
        >
          <Icon name="download" />
        </a>
        <Button icon="remove" label={w.remove} iconOnly kind="quiet" onClick={() => void removeFile(name)} />
      </div>
    </li>
  );
}

async function restore(name: string): Promise<void> {
  const w = words.value;
  const alsoStart = signal(false);
  const isMeant = await confirmed({
    title: w.confirmRestore(name),
    text: w.confirmRestoreMore,
    action: w.restore,
    isDanger: false,
    option: { label: w.alsoStart, value: alsoStart },
  });
  if (!isMeant) return;
  tell(await ask<Taken>("POST", `/snapshots${pathOf(name, "restore")}`, { start: alsoStart.value }));
}

function tell(taken: Taken | undefined): void {
  if (taken === undefined) return;
  const { created, changed, skipped } = taken;
  say("good", words.value.restored(created.length, changed.length, skipped.length));
}

async function removeFile(name: string): Promise<void> {
  const w = words.value;
  const isMeant = await confirmed({
    title: w.confirmRemoveSnapshot(name),
    text: w.cannotUndo,
    action: w.remove,
  });
  if (!isMeant) return;
  await ask("DELETE", `/snapshots${pathOf(name)}`);
  await load();
}

/** Takes all processes away as a file. */
function Export() {
  const w = words.value;
  return (
    <details class="menu">
      <summary class="button">
        <Icon name="download" />
        <span>{w.exportNow}</span>
      </summary>
      <ul>
        {FORMATS.map((format) => (
          <li key={format}>
            <a href={`/api/export?format=${format}`} download={`processes.${format}`}>
              {format.toUpperCase()}
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Import() {
  const w = words.value;
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    const ending = file.name.split(".").at(-1)?.toLowerCase();
    const format = ending === "yml" ? "yaml" : FORMATS.find((each) => each === ending) ?? "json";
    tell(await ask<Taken>("POST", "/import", { content: await file.text(), format }));
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        accept=".yaml,.yml,.kdl,.json"
        onChange={({ currentTarget }) => {
          void take(currentTarget.files?.[0]);
          currentTarget.value = "";
        }}
      />
      <Button icon="upload" label={w.importFile} onClick={() => input.current?.click()} />
    </>
  );
}

function SnapshotForm({ onClose }: { onClose: () => void }) {
  const w = words.value;
  const name = useSignal("");
  const format = useSignal("yaml");
  const onlyAutoStart = useSignal(false);
  const send = () =>
    request("POST", "/snapshots", {
      name: name.value.trim() || null,
      format: format.value,
      only_auto_start: onlyAutoStart.value,
    });
  const done = async () => {
    say("good", w.saved);
    await load();
  };
  return (
    <FormDialog title={w.newSnapshot} action={w.create} send={send} done={done} onClose={onClose}>
      <div class="fields">
        <Field label={w.snapshotName} help={w.snapshotNameHelp} value={name} />
        <Field
          label={w.format}
          value={format}
          choices={FORMATS.map((value) => ({ value, text: value.toUpperCase() }))}
        />
        <Check label={w.onlyAutoStart} value={onlyAutoStart} />
      </div>
    </FormDialog>
  );
}
