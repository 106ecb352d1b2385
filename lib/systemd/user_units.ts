/** Units in the folder of a user's systemd: written, removed, and started. @module */

/** A unit's file and its text. */
export interface Unit {
  readonly file: string;
  readonly text: string;
}

/** The units of one tool. */
export class UserUnits {
  readonly #tool: string;
  readonly #whose: (text: string) => string | undefined;
  /** Where they lie. */
  readonly folder: string;

  /**
   * @param whose What is wrong with a unit that stands there already; undefined when it is this tool's own.
   * @throws {Error} When nobody knows where the user's units are.
   */
  constructor(tool: string, whose: (text: string) => string | undefined) {
    this.#tool = tool;
    this.#whose = whose;
    const { XDG_CONFIG_HOME, HOME } = Deno.env.toObject();
    if (!XDG_CONFIG_HOME && !HOME) throw new Error("Cannot find the units of this user: HOME is not set");
    this.folder = `${XDG_CONFIG_HOME || `${HOME}/.config`}/systemd/user`;
  }

  /** Writes units in the place of those `files` that were there. @throws {Error} When one is somebody else's. */
  async write(units: readonly Unit[], files: readonly string[]): Promise<void> {
    await Deno.mkdir(this.folder, { recursive: true });
    for (const file of files) this.isOurs(file);
    for (const file of files) await remove(`${this.folder}/${file}`);
    for (const { file, text } of units) {
      await Deno.writeTextFile(`${this.folder}/${file}`, text, { createNew: true });
    }
    console.error(`${this.#tool}: wrote ${this.#paths(units.map(({ file }) => file))}`);
  }

  /** Makes them known, and with `now` starts the first; says how to do it where it cannot be done. Returns the exit code. */
  async begin(first: string, now: boolean): Promise<number> {
    const done = await this.systemctl(["daemon-reload"]) && now &&
      await this.systemctl(["enable", "--now", first]);
    if (!done) {
      console.error(
        `${this.#tool}: start it now and at each login with: systemctl --user enable --now ${first}`,
      );
    }
    return now && !done ? 1 : 0;
  }

  /** Stops and removes those that are there and returns them. @throws {Error} When one is somebody else's. */
  async remove(files: readonly string[]): Promise<string[]> {
    const found = files.filter((file) => this.isOurs(file));
    if (found.length === 0) return [];
    await this.systemctl(["disable", "--now", ...found]);
    for (const file of found) await remove(`${this.folder}/${file}`);
    await this.systemctl(["daemon-reload"]);
    console.error(`${this.#tool}: removed ${this.#paths(found)}`);
    return found;
  }

  /** Whether a unit is there. @throws {Error} When it is somebody else's. */
  isOurs(file: string): boolean {
    const path = `${this.folder}/${file}`;
    let text: string;
    try {
      text = Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
    const problem = this.#whose(text);
    if (problem === undefined) return true;
    throw new Error(`Cannot change ${path}: ${problem}; choose another name with --name`);
  }

  /** Asks the user's systemd; false, with its words told, when it does not do it. */
  async systemctl(words: readonly string[]): Promise<boolean> {
    const args = ["--user", ...words];
    try {
      const { success, stderr } = await new Deno.Command("systemctl", { args, stdin: "null", stdout: "null" })
        .output();
      if (!success) {
        console.error(
          `${this.#tool}: systemctl ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`,
        );
      }
      return success;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      console.error(`${this.#tool}: systemctl ${args.join(" ")}: there is no systemctl here`);
      return false;
    }
  }

  #paths(files: readonly string[]): string {
    return files.map((file) => `${this.folder}/${file}`).join(" and ");
  }
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The command of this tool, for a unit. @throws {Error} When it lies where it does not stay. */
export function lastingCommand(
  command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  // npx removes its downloads one day, and then the service would not start.
  if (command[0].includes("/_npx/")) {
    throw new Error(
      `Cannot write a unit: ${command[0]} is in a cache; use an installed deno, or the packed file`,
    );
  }
  return command;
}
