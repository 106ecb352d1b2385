/** `bpm unit`: the manager of a project as a service of its user under systemd. @module */
import { ownCommand } from "../../lib/build/own_command.ts";
import { serviceUnit, socketUnit, unitFolder, unitName, type UnitOptions } from "../../lib/bpm/mod.ts";
import { command, option, print } from "../../lib/cli/mod.ts";
import { optionalText, toggle } from "../../lib/config/mod.ts";
import { formatAddress } from "../../lib/web/mod.ts";
import { CONFIG_OPTION, DIR, openProject, projectFolder } from "./project.ts";

const NAME = option(
  optionalText({ help: "Name of the units; bpm- and the folder's by default.", example: "bpm-shop" }),
  { value: "NAME" },
);
const OPTIONS = {
  config: CONFIG_OPTION,
  name: NAME,
  socket: option(
    toggle({
      help: "systemd holds the port of MCP, and the first client starts the manager.",
      fallback: false,
    }),
  ),
  unconfined: option(
    toggle({
      help: "Without restrictions, for projects that need sudo or rootless containers.",
      fallback: false,
    }),
  ),
};

type Values = {
  readonly config: string | undefined;
  readonly name: string | undefined;
  readonly socket: boolean;
  readonly unconfined: boolean;
};

/** A unit's file and its text. */
interface Unit {
  readonly file: string;
  readonly text: string;
}

const printUnits = command({
  name: "print",
  summary: "print the units",
  positionals: [DIR],
  options: OPTIONS,
  examples: [["bpm unit print --socket", "The service and the socket of this folder's project"]],
  async run({ args: [dir = "."], options }) {
    const { units } = await unitsOf(dir, options);
    print(units.map(({ file, text }) => `# ${file}\n${text}`).join("\n"));
    return 0;
  },
});

const install = command({
  name: "install",
  summary: "write the units for this user",
  description:
    "To systemd/user below XDG_CONFIG_HOME. Units that somebody else wrote stay as they are. A user's services " +
    "end when the user is logged out, unless: loginctl enable-linger",
  positionals: [DIR],
  options: {
    ...OPTIONS,
    now: option(toggle({ help: "Starts it now and at each login.", fallback: false })),
  },
  examples: [
    ["bpm unit install --now", "Run this folder's project from now on"],
    ["bpm unit install --socket --now", "Run it when the first client comes"],
  ],
  async run({ args: [dir = "."], options }) {
    const { name, folder, units } = await unitsOf(dir, options);
    const place = unitsFolder();
    await Deno.mkdir(place, { recursive: true });
    for (const file of unitFiles(name)) checkOurs(`${place}/${file}`, folder);
    for (const file of unitFiles(name)) await remove(`${place}/${file}`);
    for (const { file, text } of units) {
      await Deno.writeTextFile(`${place}/${file}`, text, { createNew: true });
    }
    console.error(`bpm: wrote ${units.map(({ file }) => `${place}/${file}`).join(" and ")}`);
    const first = units[units.length - 1]!.file;
    const done = await systemctl(["daemon-reload"]) && options.now &&
      await systemctl(["enable", "--now", first]);
    if (!done) {
      console.error(`bpm: start it now and at each login with: systemctl --user enable --now ${first}`);
    }
    return options.now && !done ? 1 : 0;
  },
});

const uninstall = command({
  name: "uninstall",
  summary: "stop the service and remove the units",
  positionals: [DIR],
  options: { name: NAME },
  examples: [["bpm unit uninstall", "Of this folder's project"]],
  async run({ args: [dir = "."], options }) {
    const folder = await projectFolder(dir);
    const name = options.name ?? unitName(folder);
    const place = unitsFolder();
    const files = unitFiles(name).filter((file) => checkOurs(`${place}/${file}`, folder));
    if (files.length === 0) {
      throw new Error(`Cannot remove the units of ${folder}: there are none in ${place}`);
    }
    await systemctl(["disable", "--now", ...files]);
    for (const file of files) await remove(`${place}/${file}`);
    await systemctl(["daemon-reload"]);
    console.error(`bpm: removed ${files.map((file) => `${place}/${file}`).join(" and ")}`);
    return 0;
  },
});

export const unit = command({
  name: "unit",
  summary: "run a project as a service of systemd",
  commands: [printUnits, install, uninstall],
  examples: [["bpm unit install --socket --now", "From now on a client finds it running"]],
});

async function unitsOf(
  dir: string,
  options: Values,
): Promise<{ readonly name: string; readonly folder: string; readonly units: readonly Unit[] }> {
  const { folder, config } = await openProject(dir, options.config);
  const [program, ...args] = ownCommand("bpm");
  // npx removes its downloads one day, and then the service would not start.
  if (program.includes("/_npx/")) {
    throw new Error(
      `Cannot write a unit: ${program} is in a cache; use an installed deno, or the packed file`,
    );
  }
  const file = options.config === undefined ? [] : ["--config", await Deno.realPath(options.config)];
  const name = options.name ?? unitName(folder);
  // Written as a name systemd would take it for that of a path.
  const address = formatAddress({ kind: "tcp", host: config.host, port: config.mcp_port }).replace(
    "http://",
    "",
  )
    .replace("localhost", "127.0.0.1");
  const all: UnitOptions = {
    name,
    folder,
    command: [program, ...args, "serve", "--quiet", ...file, folder],
    path: Deno.env.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
    unconfined: options.unconfined,
    socket: options.socket ? address : undefined,
  };
  const service = { file: `${name}.service`, text: serviceUnit(all) };
  const { socket } = all;
  const units = socket === undefined
    ? [service]
    : [service, { file: `${name}.socket`, text: socketUnit({ ...all, socket }) }];
  return { name, folder, units };
}

function unitFiles(name: string): [string, string] {
  return [`${name}.service`, `${name}.socket`];
}

function unitsFolder(): string {
  const { XDG_CONFIG_HOME, HOME } = Deno.env.toObject();
  if (!XDG_CONFIG_HOME && !HOME) throw new Error("Cannot find the units of this user: HOME is not set");
  return `${XDG_CONFIG_HOME || `${HOME}/.config`}/systemd/user`;
}

/** Whether a unit is there. @throws {Error} When it is of somebody else, or of another project. */
function checkOurs(path: string, folder: string): boolean {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  const found = unitFolder(text);
  if (found === folder) return true;
  const whose = found === undefined ? "somebody else wrote it" : `it is of ${found}`;
  throw new Error(`Cannot change ${path}: ${whose}; choose another name with --name`);
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Asks the user's systemd; false, with its words told, when it does not do it. */
async function systemctl(words: readonly string[]): Promise<boolean> {
  const args = ["--user", ...words];
  try {
    const { success, stderr } = await new Deno.Command("systemctl", { args, stdin: "null", stdout: "null" })
      .output();
    if (!success) {
      console.error(`bpm: systemctl ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
    }
    return success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error(`bpm: systemctl ${args.join(" ")}: there is no systemctl here`);
    return false;
  }
}
