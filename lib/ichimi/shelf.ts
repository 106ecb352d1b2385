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

/** Some of the clips, and how many there are. */
export interface Clips {
  readonly items: readonly Clip[];
  readonly total: number;
}

/** Of the clipboard's history; the oldest are let go of. */
const CLIPS_KEPT = 100;
/** Of all of them, as they are kept: more than a clip can take, whatever is in it. */
const CLIPS_BYTES = 64 * 2 ** 20;
/** A larger one is refused. */
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

  get newestClip(): Clip | undefined {
    return this.clips(1).items[0];
  }

  /** The newest ones, newest first. */
  clips(most: number): Clips {
    return { items: [...this.#store.newest("clip", most)] as Clip[], total: this.#store.countItems("clip") };
  }

  /** Those that have a text in them, in their names or in their tags, and all of the tags that are asked for. */
  searchClips(
    text: string,
    { most, tags = [] }: { readonly most: number; readonly tags?: readonly string[] },
  ): Clips {
    const wanted = text.toLowerCase();
    const items: Clip[] = [];
    let total = 0;
    for (const clip of this.#store.newest("clip") as Generator<Clip>) {
      const texts = [clip.content, clip.filename ?? "", ...clip.tags];
      const isMeant = tags.every((tag) => clip.tags.includes(tag)) &&
        texts.some((each) => each.toLowerCase().includes(wanted));
      if (!isMeant) continue;
      total++;
      if (items.length < most) items.push(clip);
    }
    return { items, total };
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
    const bytes = new TextEncoder().encode(content).length;
    if (bytes > CLIP_BYTES) {
      throw new HostError(`Cannot keep ${bytes} bytes: at most ${CLIP_BYTES} are taken`);
    }
    const now = timeText(Date.now());
    const id = crypto.randomUUID();
    const clip = { id, content, filename, created_at: now, updated_at: now, content_type: type, tags };
    this.#store.together(() => {
      this.#store.putItem("clip", id, clip);
      this.#store.trimItems("clip", CLIPS_KEPT, CLIPS_BYTES);
    });
    return clip;
  }

  clearClips(): void {
    this.#store.trimItems("clip", 0);
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
