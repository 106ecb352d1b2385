/** What a user keeps beside processes: templates, and texts that assistants hand to each other. @module */
import { HostError } from "../services/mod.ts";
import { timeText } from "./state.ts";
import type { Store } from "./store.ts";
import type { Template, TemplateFields } from "./template.ts";

/** A text that was put into the clipboard, under upstream's names. */
export interface Clip {
  readonly id: string;
  readonly content: string;
  readonly filename: string | null;
  /** RFC 3339. */
  readonly created_at: string;
  readonly updated_at: string;
  readonly content_type: string;
  readonly tags: readonly string[];
}

/** Of the clipboard's history. */
const CLIPS_KEPT = 100;
const CLIP_BYTES = 4 * 2 ** 20;
const SETTINGS = "console settings";

export class Shelf {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** In the order of their names. */
  templates(
    { category, tag }: { readonly category?: string | null; readonly tag?: string | null } = {},
  ): Template[] {
    return (this.#store.items("template") as Template[])
      .filter((each) => category == null || each.category === category)
      .filter((each) => tag == null || each.tags.includes(tag))
      .sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** By id, or else by name. @throws {HostError} When there is none. */
  template(name: string): Template {
    const all = this.templates();
    const found = all.find((each) => each.template_id === name) ?? all.find((each) => each.name === name);
    if (found === undefined) {
      throw new HostError(`Template '${name}' not found`, { problem: "missing" });
    }
    return found;
  }

  /** @throws {HostError} When the name is taken, or empty. */
  createTemplate(fields: TemplateFields): Template {
    const now = timeText(Date.now());
    const template = { template_id: crypto.randomUUID(), ...fields, created_at: now, updated_at: now };
    this.#checkName(template);
    this.#store.putItem("template", template.template_id, template);
    return template;
  }

  /** @throws {HostError} When there is none, or the new name is taken. */
  updateTemplate(id: string, changes: Partial<TemplateFields>): Template {
    const template = { ...this.template(id), ...changes, updated_at: timeText(Date.now()) };
    this.#checkName(template);
    this.#store.putItem("template", template.template_id, template);
    return template;
  }

  /** @throws {HostError} When there is none. */
  deleteTemplate(id: string): Template {
    const template = this.template(id);
    this.#store.dropItem("template", template.template_id);
    return template;
  }

  /** Newest first. */
  clips(): Clip[] {
    return (this.#store.items("clip") as Clip[]).reverse();
  }

  /** Those that have a text in them or in their names. */
  searchClips(text: string): Clip[] {
    const wanted = text.toLowerCase();
    return this.clips().filter(({ content, filename, tags }) =>
      [content, filename ?? "", ...tags].some((each) => each.toLowerCase().includes(wanted))
    );
  }

  /** @throws {HostError} When it is too large. */
  clip(
    content: string,
    { tags = [], filename = null, type = "text" }: {
      readonly tags?: readonly string[];
      readonly filename?: string | null;
      readonly type?: string;
    } = {},
  ): Clip {
    if (content.length > CLIP_BYTES) {
      throw new HostError(`Cannot keep ${content.length} characters: at most ${CLIP_BYTES} are taken`);
    }
    const now = timeText(Date.now());
    const id = crypto.randomUUID();
    const clip = { id, content, filename, created_at: now, updated_at: now, content_type: type, tags };
    this.#store.putItem("clip", id, clip);
    for (const { id: old } of this.clips().slice(CLIPS_KEPT)) this.#store.dropItem("clip", old);
    return clip;
  }

  clearClips(): void {
    for (const { id } of this.clips()) this.#store.dropItem("clip", id);
  }

  /** What has happened to processes, in its order. */
  get events(): readonly unknown[] {
    return this.#store.items("event");
  }

  /** As far as there is room for it. */
  keepEvent(event: { readonly number: number }): void {
    this.#store.attempt("keep an event", () => this.#store.putItem("event", `${event.number}`, event));
  }

  /** Leaves the newest. */
  trimEvents(count: number): void {
    this.#store.attempt("trim events", () => this.#store.trimItems("event", count));
  }

  /** What the person has chosen in the console, as far as it was. */
  get settings(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.#store.fact(SETTINGS) ?? "{}");
  }

  set settings(chosen: Readonly<Record<string, unknown>>) {
    this.#store.note(SETTINGS, JSON.stringify(chosen));
  }

  #checkName({ name, template_id: id }: Template): void {
    if (name.trim() === "") throw new HostError("Template name cannot be empty");
    if (this.templates().some((each) => each.name === name && each.template_id !== id)) {
      throw new HostError(`Template with name '${name}' already exists`, { problem: "conflict" });
    }
  }
}
