/** What a monitor that comes late has to be told: activities that are open, and their last states. @module */

/** Activities whose end was lost are forgotten when there are more: the oldest first. */
export const OPEN_LIMIT = 10_000;

const RESULTS_KEPT = /"type":(104|105|106)\}$/;

/** Records of activities that have begun and not ended. Keys of Nix' JSON are sorted: `action` comes first. */
export class OpenActivities {
  /** By id, its digits: the start, then the last of each kind of result that is a state. */
  readonly #open = new Map<string, Map<string, string>>();

  /** Takes a record that was told. */
  take(record: string): void {
    // In a string the quotes would be escaped.
    const id = /"id":(\d+)/.exec(record)?.[1];
    if (id === undefined) return;
    if (record.startsWith('{"action":"start"')) {
      this.#open.set(id, new Map([["start", record]]));
      if (this.#open.size > OPEN_LIMIT) this.#open.delete(this.#open.keys().next().value!);
    } else if (record.startsWith('{"action":"stop"')) {
      this.#open.delete(id);
    } else if (record.startsWith('{"action":"result"')) {
      const type = RESULTS_KEPT.exec(record)?.[1];
      if (type === undefined) return;
      // What is expected is one number for each type of activity.
      const of = type === "106" ? `106 ${/"fields":\[(\d+)/.exec(record)?.[1]}` : type;
      this.#open.get(id)?.set(of, record);
    }
  }

  /** In the order in which they began. */
  records(): string[] {
    return [...this.#open.values()].flatMap((kept) => [...kept.values()]);
  }
}
