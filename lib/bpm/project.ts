/** What a project consists of now: its configuration, the processes made of it, and what of them must not be shown. @module */
import { existsSync } from "node:fs";
import type { Mode } from "../services/mod.ts";
import type { ServiceSpec } from "../supervisor/mod.ts";
import { type Changes, changesOf, settingsLater } from "./changes.ts";
import type { BpmConfig } from "./config.ts";
import { Ports } from "./ports.ts";
import { type Process, processesOf } from "./processes.ts";

export interface ProjectOptions {
  /** The project's own, absolute. */
  readonly folder: string;
  readonly config: BpmConfig;
  /** Where instances, logs and what is wanted are kept. */
  readonly stateFolder: string;
  /** Reads the configuration anew. */
  readonly load?: () => BpmConfig;
}

/** What a project would be with the configuration that stands there now. */
export interface Revision {
  readonly config: BpmConfig;
  readonly processes: readonly Process[];
  readonly changes: Changes;
}

export class Project {
  #config: BpmConfig;
  /** By name of the service. */
  #processes: ReadonlyMap<string, Process>;
  readonly #make: (config: BpmConfig) => Process[];
  readonly #load: () => BpmConfig;
  readonly #secrets = new Set<string>();

  /** @throws {SyntaxError | RangeError} When the configuration makes no sense. */
  constructor({ folder, config, stateFolder, load = () => config }: ProjectOptions, mode: () => Mode) {
    this.#config = config;
    this.#load = load;
    const ports = new Ports(stateFolder);
    const { settings, secrets } = { settings: () => this.#config, secrets: this.#secrets };
    this.#make = (config) => {
      return processesOf({
        folder,
        config,
        direnv: existsSync(`${folder}/.envrc`),
        mode,
        settings,
        ports,
        secrets,
      });
    };
    this.#processes = byService(this.#make(config));
  }

  get config(): BpmConfig {
    return this.#config;
  }

  /** In the order of the file. */
  get specs(): ServiceSpec[] {
    return [...this.#processes.values()].map(({ spec }) => spec);
  }

  /** What a service was made of. */
  process(service: string): Process | undefined {
    return this.#processes.get(service);
  }

  /** Names of the services that a process or a group, written with `@`, has; none when there is no such. */
  servicesOf(name: string): string[] {
    const isMeant = (process: Process) =>
      name.startsWith("@") ? process.groups.includes(name.slice(1)) : process.name === name;
    return [...this.#processes.values()].filter(isMeant).map(({ spec }) => spec.name);
  }

  /** Values of environment files and commands that are known by now. */
  get secrets(): ReadonlySet<string> {
    return this.#secrets;
  }

  /** Gets to know what commands print of services that run already. @param failed Is told what cannot be had. */
  async learnSecrets(
    isMeant: (service: string) => boolean,
    failed: (service: string, error: Error) => void,
  ): Promise<void> {
    await Promise.all([...this.#processes].map(async ([service, { environment }]) => {
      if (!environment.isAsked || !isMeant(service)) return;
      try {
        await environment.ask();
        environment.read();
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        failed(service, error);
      }
    }));
  }

  /** Reads the configuration anew; nothing changes yet. @throws {ConfigError | SyntaxError | RangeError} When it makes no sense. */
  revise(): Revision {
    const config = this.#load();
    const made = this.#make(config);
    const changes = changesOf([...this.#processes.values()], made, settingsLater(this.#config, config));
    // What has not changed keeps what it was made of: its build, for example.
    const processes = made.map((each) => {
      const { name } = each.spec;
      return changes.unchanged.includes(name) ? this.#processes.get(name)! : each;
    });
    return { config, processes, changes };
  }

  /** Becomes a revision; returns how to become what it was before. */
  become({ config, processes }: Pick<Revision, "config" | "processes">): () => void {
    const before = { config: this.#config, processes: [...this.#processes.values()] };
    this.#config = config;
    this.#processes = byService(processes);
    return () => this.become(before);
  }
}

function byService(processes: readonly Process[]): Map<string, Process> {
  return new Map(processes.map((process) => [process.spec.name, process]));
}
