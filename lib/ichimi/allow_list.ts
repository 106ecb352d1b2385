/** What may be started where: by the configuration, and by what a person has allowed, for good or this once. @module */
import { HostError } from "../services/mod.ts";
import { type Allowed, type AllowRule, lineOf, ruleOf, verdict } from "./allow.ts";
import { reallyAt } from "./folders.ts";
import { folderOf, type ProcessRecord } from "./record.ts";
import type { Store } from "./store.ts";

/** What is looked at before something is started. */
export type Startable = Pick<ProcessRecord, "id" | "command" | "args" | "env" | "project" | "cwd">;

/** A process may not be started in its project, unless a person allows it. */
export class NotAllowed extends HostError {
  /** What would have to be allowed: by the rule of its project, by that of where it runs, or by both. */
  readonly wanted: readonly Allowed[];
  /** What a person is asked, where one may be: a yes to it is one to all that it says, and to nothing else. */
  readonly question: string | undefined;

  constructor(process: Startable, wanted: readonly Allowed[], mayAsk: boolean) {
    const { id } = process;
    const [{ line, folder }] = wanted as readonly [Allowed];
    const advice = mayAsk
      ? `a person can allow it, with "ichimi-server start ${id}" on a terminal, in the console, or`
      : "others are refused";
    super(
      `Process '${id}' may not be started: '${line}' is not among the commands that are allowed in ${folder}; ` +
        `${advice} in [allow] of ichimi.toml`,
    );
    this.wanted = wanted;
    this.question = mayAsk ? questionOf(process, folder) : undefined;
  }

  /** Whether a person may be asked. */
  get mayAsk(): boolean {
    return this.question !== undefined;
  }
}

const LEARNED = "allowed";
const PERMITTED = "permitted";

export class AllowList {
  readonly #rules: readonly AllowRule[];
  readonly #store: Store;
  /** What a person has said yes to at the last start of each process: it is started again by itself, too. */
  readonly #permitted: Map<string, string>;

  constructor(rules: readonly AllowRule[], store: Store) {
    this.#rules = rules;
    this.#store = store;
    const kept = store.items(PERMITTED) as { readonly id: string; readonly question: string }[];
    this.#permitted = new Map(kept.map(({ id, question }) => [id, question]));
  }

  /** As the configuration has them. */
  get rules(): readonly AllowRule[] {
    return this.#rules;
  }

  /** What a person has allowed for good, in that order; of rules that are no more, too. */
  get learned(): readonly Allowed[] {
    return this.#store.items(LEARNED) as Allowed[];
  }

  /** Why a process may not be started in its project, or where it would run; undefined when it may. */
  refusal(process: Startable): NotAllowed | undefined {
    if (this.#rules.length === 0) return undefined;
    const line = lineOf(process.command, process.args);
    const where = folderOf(process);
    const folders = new Set(process.project === null ? [where] : [process.project, where]);
    const { learned } = this;
    const answers = [...folders].map((folder) => ({
      answer: verdict(this.#rules, learned, { folder, line, really: reallyAt }),
      wanted: { folder: ruleOf(this.#rules, folder, reallyAt)?.folder ?? "", line },
    })).filter(({ answer }) => answer !== "allow");
    if (answers.length === 0) return undefined;
    const refusing = answers.filter(({ answer }) => answer === "refuse");
    const meant = refusing.length > 0 ? refusing : answers;
    return new NotAllowed(process, meant.map(({ wanted }) => wanted), refusing.length === 0);
  }

  /** @param permitted The question to which a person has just said yes. @throws {NotAllowed} */
  check(process: Startable, permitted?: string): void {
    const refused = this.refusal(process);
    if (refused !== undefined && (permitted === undefined || refused.question !== permitted)) throw refused;
  }

  /** As `check`, and what runs of the process from now on has that yes. @throws {NotAllowed} */
  permit(process: Startable, permitted: string | undefined): void {
    this.check(process, permitted);
    this.#remember(process.id, permitted);
  }

  /** Nothing is known of a process any more. */
  forget(id: string): void {
    this.#remember(id, undefined);
  }

  #remember(id: string, question: string | undefined): void {
    if (this.#permitted.get(id) === question) return;
    if (question === undefined) this.#permitted.delete(id);
    else this.#permitted.set(id, question);
    this.#store.attempt(`keep what was allowed of process '${id}'`, () => {
      if (question === undefined) this.#store.dropItem(PERMITTED, id);
      else this.#store.putItem(PERMITTED, id, { id, question });
    });
  }

  /** The last word before a process runs, whoever has it start: a person, a program, or its restart policy. @throws {NotAllowed} */
  checkRun(process: Startable): void {
    this.check(process, this.#permitted.get(process.id));
  }

  /** From now on the command line may be started in the project. */
  add({ folder, line }: Allowed): void {
    this.#store.putItem(LEARNED, keyOf({ folder, line }), { folder, line });
  }

  /** It has to be asked for again; what runs goes on. @throws {HostError} When it was not allowed. */
  remove(allowed: Allowed): void {
    const key = keyOf(allowed);
    if (this.#store.item(LEARNED, key) === undefined) {
      const { folder, line } = allowed;
      throw new HostError(`Nobody has allowed '${line}' for good in ${folder}`, { problem: "missing" });
    }
    this.#store.dropItem(LEARNED, key);
  }
}

function keyOf({ folder, line }: Allowed): string {
  return `${folder}\n${line}`;
}

/** All that makes the process what it is. */
function questionOf(process: Startable, folder: string): string {
  const { command, args, env } = process;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const more = variables.length === 0 ? "" : `, with ${variables.join(" ")}`;
  return `An assistant wants to run in ${folderOf(process) ?? folder}: ${lineOf(command, args)}${more}`;
}
