/** Enters a server in a client's file, and takes it out again: one entry, and not a byte of any other. @module */
import type { ClientApp, Places, ServerEntry } from "./clients.ts";
import { jsonMember, removeJsonMember, setJsonMember } from "./json_edit.ts";
import { removeTomlTable, setTomlTable, tableText, tomlTable } from "./toml_edit.ts";

/** What was done to which file. */
export interface InstallResult {
  readonly file: string;
  readonly change: "added" | "replaced" | "removed" | "unchanged";
}

/** The file may change between reading and writing, since clients write it too; then it is tried anew so often. */
const ATTEMPTS = 5;
/** A file that is new may hold secrets of other servers later. */
const NEW_FILE_MODE = 0o600;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Enters `entry` as `name`; an entry of that name is replaced.
 * @throws {Error} When the file is damaged or cannot be changed safely, with file and place; it is left as it is.
 */
export function installServer(
  app: ClientApp,
  name: string,
  entry: ServerEntry,
  places: Places,
): Promise<InstallResult> {
  checkName(name);
  return editFile(app.file(places), (text) => withServer(app, text, name, entry));
}

/** Takes the entry `name` out. @throws As `installServer`. */
export function uninstallServer(app: ClientApp, name: string, places: Places): Promise<InstallResult> {
  checkName(name);
  return editFile(app.file(places), (text) => withoutServer(app, text, name));
}

/** What a person would write into the file by hand. */
export function serverSnippet(app: ClientApp, name: string, entry: ServerEntry): string {
  checkName(name);
  const value = app.value(entry);
  if (app.format === "toml") return tableText(app.parent, name, value);
  return `${JSON.stringify({ [app.parent]: { [name]: value } }, null, 2)}\n`;
}

/** What becomes of a text. */
export interface TextChange {
  readonly text: string;
  readonly change: InstallResult["change"];
}

/** The text of a client's file with a server in it; `undefined`: there is no file yet. */
export function withServer(
  app: ClientApp,
  text: string | undefined,
  name: string,
  entry: ServerEntry,
): TextChange {
  const value = app.value(entry);
  const known = text === undefined ? undefined : entryIn(app, text, name);
  if (text !== undefined && JSON.stringify(known) === JSON.stringify(value)) {
    return { text, change: "unchanged" };
  }
  const comments = { comments: app.format === "jsonc" };
  const changed = app.format === "toml"
    ? setTomlTable(text ?? "", app.parent, name, value)
    : setJsonMember(text ?? "", [app.parent, name], value, comments);
  return { text: changed, change: known === undefined ? "added" : "replaced" };
}

/** The text of a client's file without a server. */
export function withoutServer(app: ClientApp, text: string | undefined, name: string): TextChange {
  if (text === undefined || entryIn(app, text, name) === undefined) {
    return { text: text ?? "", change: "unchanged" };
  }
  const comments = { comments: app.format === "jsonc" };
  const changed = app.format === "toml"
    ? removeTomlTable(text, app.parent, name)
    : removeJsonMember(text, [app.parent, name], comments);
  return { text: changed, change: "removed" };
}

function entryIn(app: ClientApp, text: string, name: string): unknown {
  if (app.format === "toml") return tomlTable(text, app.parent, name);
  if (text.trim() === "") return undefined;
  return jsonMember(text, [app.parent, name], { comments: app.format === "jsonc" });
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new TypeError(`Cannot use "${name}" as a server's name: 1-64 of A-Z a-z 0-9 _ - are allowed`);
}

async function editFile(
  file: string,
  edit: (text: string | undefined) => TextChange,
): Promise<InstallResult> {
  for (let attempt = 1;; attempt++) {
    const text = await readOptional(file);
    const result = editText(file, text, edit);
    if (result.change === "unchanged") return { file, change: "unchanged" };
    if (await replaceFile(file, text, result.text)) return { file, change: result.change };
    if (attempt === ATTEMPTS) throw new Error(`Cannot change ${file}: another program keeps writing it`);
  }
}

function editText(
  file: string,
  text: string | undefined,
  edit: (text: string | undefined) => TextChange,
): TextChange {
  try {
    return edit(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new Error(`Cannot change ${file}: ${reason}; nothing was written`, { cause });
  }
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await Deno.readFile(file));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    if (cause instanceof TypeError) throw new Error(`Cannot change ${file}: it is not UTF-8`, { cause });
    throw cause;
  }
}

/** Replaces the file in one step, with its mode; false when it is not what it was. A link stays a link. */
async function replaceFile(file: string, before: string | undefined, after: string): Promise<boolean> {
  const real = before === undefined ? file : await Deno.realPath(file);
  if (before === undefined) await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
  const { mode, uid, gid } = before === undefined
    ? { mode: NEW_FILE_MODE, uid: null, gid: null }
    : await Deno.stat(real);
  const fresh = `${real}.${crypto.randomUUID()}.new`;
  try {
    await writeWhole(fresh, after, (mode ?? NEW_FILE_MODE) & 0o7777);
    if (Deno.uid() === 0 && uid !== null) await Deno.chown(fresh, uid, gid);
    if (await readOptional(file) !== before) return false;
    await Deno.rename(fresh, real);
    return true;
  } finally {
    await Deno.remove(fresh).catch(() => undefined); // It is gone when it was renamed.
  }
}

/** Writes a new file and waits until it is on the disk. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  await Deno.chmod(path, mode); // The mode that open takes is subject to the umask.
  await file.sync();
}
