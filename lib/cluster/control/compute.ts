/** What is asked of instances: made, changed and deleted, each in one transaction. @module */
import { type Chance, MACHINE_CHANCE } from "../chance.ts";
import type { Clock } from "../clock.ts";
import type { Instance, Power } from "../model/instance.ts";
import type { Keys } from "../model/keys.ts";
import { amountsOf, counted, overrun, type Quota, unlimited } from "../model/project.ts";
import type { Entry, Store } from "../store/store.ts";
import { ClusterError } from "./errors.ts";
import { type Attempt, Mutations } from "./mutation.ts";

/** How an instance is described by whoever makes it. */
export type NewInstance = Omit<
  Instance,
  "id" | "generation" | "placement" | "lastEpoch" | "isDeleting" | "createdAt"
>;

/** What it works with. */
export interface ComputeOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly chance?: Chance;
}

/** With which a request may be sent again. */
export interface RequestOptions {
  readonly key?: string | undefined;
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME_TEXT = "1 to 63 small letters, digits and -, with a letter or digit at both ends";

export class Compute {
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #mutations: Mutations;

  constructor({ store, keys, clock, chance = MACHINE_CHANCE }: ComputeOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#clock = clock;
    this.#chance = chance;
    this.#mutations = new Mutations({ store, keys, clock, chance });
  }

  /** Takes note of an instance; the scheduler finds a place for it. @throws {ClusterError} */
  async create(given: NewInstance, { key }: RequestOptions = {}): Promise<Instance> {
    const instance = this.drafted(given);
    const { project, name } = given;
    const nameKey = this.#keys.name(project, name);
    return await this.#mutations.make({ key, content: contentOf("create", given) }, async (found) => {
      if (found.get(nameKey) !== undefined) {
        throw new ClusterError(`There is an instance "${name}" in project "${project}" already`, "exists");
      }
      const quota = await this.#counted(instance, 1);
      return {
        when: [{ key: nameKey, is: "absent" }, ...quota.when],
        then: [
          ...quota.then,
          { put: nameKey, value: instance.id },
          { put: this.#keys.instance(instance.id), value: JSON.stringify(instance) },
        ],
        result: instance,
      };
    });
  }

  /** What would be made. @throws {ClusterError} When it can be none. */
  drafted(given: NewInstance): Instance {
    check(given);
    return {
      ...given,
      id: this.#chance.id(),
      generation: 1,
      placement: null,
      lastEpoch: 0,
      isDeleting: false,
      createdAt: new Date(this.#clock.wallMs()).toISOString(),
    };
  }

  /** By id, or by its name in a project. @throws {ClusterError} When there is none. */
  async get(wanted: string, project = "default"): Promise<Instance> {
    return (await this.#find(wanted, project)).instance;
  }

  /** What is wanted of it from now on. @throws {ClusterError} */
  async setPower(wanted: string, power: Power, { key, project }: OfProject = {}): Promise<Instance> {
    return await this.#change(wanted, { key, project, content: `power ${power}` }, (instance) => {
      if (instance.isDeleting) {
        throw new ClusterError(`Instance "${instance.name}" is being deleted`, "conflict");
      }
      return instance.power === power
        ? instance
        : { ...instance, power, generation: instance.generation + 1 };
    });
  }

  /** It is to be no more; it is forgotten when nothing is left of it. @throws {ClusterError} */
  async delete(wanted: string, { key, project }: OfProject = {}): Promise<Instance> {
    return await this.#change(
      wanted,
      { key, project, content: "delete" },
      (instance) =>
        instance.isDeleting
          ? instance
          : { ...instance, isDeleting: true, power: "stopped", generation: instance.generation + 1 },
    );
  }

  async #change(
    wanted: string,
    { key, project = "default", content }: OfProject & { readonly content: string },
    changed: (instance: Instance) => Instance,
  ): Promise<Instance> {
    const asked = { key, content: contentOf(content, [project, wanted]) };
    return await this.#mutations.make(asked, async () => {
      const { instance, revision } = await this.#find(wanted, project);
      const result = changed(instance);
      const instanceKey = this.#keys.instance(instance.id);
      return {
        when: [{ key: instanceKey, revision }],
        then: [{ put: instanceKey, value: JSON.stringify(result) }],
        result,
      };
    });
  }

  async #find(wanted: string, project: string): Promise<{ instance: Instance; revision: number }> {
    const named = await this.#store.get(this.#keys.name(project, wanted));
    const entry = await this.#store.get(this.#keys.instance(named?.value ?? wanted));
    if (entry === undefined) {
      throw new ClusterError(`There is no instance "${wanted}" in project "${project}"`, "not found");
    }
    return { instance: JSON.parse(entry.value), revision: entry.revision };
  }

  /** The part of a transaction that counts an instance. @throws {ClusterError} When its project may not have it. */
  async #counted(instance: Instance, sign: 1 | -1): Promise<Pick<Attempt<never>, "when" | "then">> {
    const key = this.#keys.quota(instance.project);
    const entry: Entry | undefined = await this.#store.get(key);
    const before: Quota = entry === undefined ? unlimited(instance.project) : JSON.parse(entry.value);
    const quota = counted(before, amountsOf(instance), sign);
    const over = sign === 1 ? overrun(quota) : undefined;
    if (over !== undefined) throw new ClusterError(`Cannot create "${instance.name}": ${over}`, "quota");
    return {
      when: [entry === undefined ? { key, is: "absent" } : { key, revision: entry.revision }],
      then: [{ put: key, value: JSON.stringify(quota) }],
    };
  }
}

interface OfProject extends RequestOptions {
  readonly project?: string | undefined;
}

/** @throws {ClusterError} When an instance can be none. */
function check({ name, project, resources, workload }: NewInstance): void {
  const fail = (what: string): never => {
    throw new ClusterError(`Cannot create "${name.slice(0, 100)}": ${what}`, "invalid");
  };
  if (!NAME.test(name)) fail(`a name has ${NAME_TEXT}`);
  if (!NAME.test(project)) fail(`its project "${project.slice(0, 100)}" is none: it has ${NAME_TEXT}`);
  const bad = Object.entries(resources).find(([, amount]) => !Number.isSafeInteger(amount) || amount < 0);
  if (bad !== undefined) fail(`its ${bad[0]} is ${bad[1]}, expected a whole number from 0 on`);
  if (workload.driver === "process" && workload.command[0] === "") fail("its command is empty");
}

function contentOf(what: string, of: unknown): string {
  return `${what} ${JSON.stringify(of)}`;
}
