/** What may be started where: by the configuration, and by what a person has allowed for good. @module */
import { HostError } from "../services/mod.ts";
import { type Allowed, type AllowRule, lineOf, ruleOf, verdict } from "./allow.ts";
import type { ProcessRecord } from "./record.ts";
import type { Store } from "./store.ts";

/** What is looked at before something is started. */
export type Startable = Pick<ProcessRecord, "id" | "command" | "args" | "project" | "cwd">;

/** A process may not be started in its project, unless a person allows it. */
export class NotAllowed extends HostError {
  /** What would have to be allowed. */
  readonly wanted: Allowed;
  /** Whether a person may be asked. */
  readonly mayAsk: boolean;

  constructor(id: string, wanted: Allowed, mayAsk: boolean) {
    const { line, folder } = wanted;
    const advice = mayAsk
      ? `a person can allow it, with "ichimi-server start ${id}" on a terminal, in the console, or`
      : "others are refused";
    super(
      `Process '${id}' may not be started: '${line}' is not among the commands that are allowed in ${folder}; ` +
        `${advice} in [allow] of ichimi.toml`,
    );
    this.wanted = wanted;
    this.mayAsk = mayAsk;
  }
}

const KIND = "allowed";

export class AllowList {
  readonly #rules: readonly AllowRule[];
  readonly #store: Store;

  constructor(rules: readonly AllowRule[], store: Store) {
    this.#rules = rules;
    this.#store = store;
  }

  /** As the configuration has them. */
  get rules(): readonly AllowRule[] {
    return this.#rules;
  }

  /** What a person has allowed for good, in that order; of rules that are no more, too. */
  get learned(): readonly Allowed[] {
    return this.#store.items(KIND) as Allowed[];
  }

  /** Why a process may not be started in its project; undefined when it may. */
  refusal({ id, command, args, project, cwd }: Startable): NotAllowed | undefined {
    const asked = { folder: project ?? cwd, line: lineOf(command, args) };
    const answer = verdict(this.#rules, this.learned, asked);
    if (answer === "allow") return undefined;
    const { folder } = ruleOf(this.#rules, asked.folder)!;
    return new NotAllowed(id, { folder, line: asked.line }, answer === "ask");
  }

  /** @throws {NotAllowed} */
  check(process: Startable): void {
    const refused = this.refusal(process);
    if (refused !== undefined) throw refused;
  }

  /** From now on the command line may be started in the project. */
  add({ folder, line }: Allowed): void {
    this.#store.putItem(KIND, keyOf({ folder, line }), { folder, line });
  }

  /** It has to be asked for again; what runs goes on. @throws {HostError} When it was not allowed. */
  remove(allowed: Allowed): void {
    const key = keyOf(allowed);
    if (this.#store.item(KIND, key) === undefined) {
      const { folder, line } = allowed;
      throw new HostError(`Nobody has allowed '${line}' for good in ${folder}`, { problem: "missing" });
    }
    this.#store.dropItem(KIND, key);
  }
}

function keyOf({ folder, line }: Allowed): string {
  return `${folder}\n${line}`;
}
