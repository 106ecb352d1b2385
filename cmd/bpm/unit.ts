/** `bpm unit`: the manager of a project as a service of its user under systemd. @module */
import { ownCommand } from "../../lib/build/own_command.ts";
import { serviceUnit, socketUnit, unitFolder, unitName, type UnitOptions } from "../../lib/bpm/mod.ts";
import { command, option, print } from "../../lib/cli/mod.ts";
import { optionalText, toggle } from "../../lib/config/mod.ts";
import { lastingCommand, type Unit, UserUnits } from "../../lib/systemd/mod.ts";
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
    const place = placeOf(folder);
    await place.write(units, unitFiles(name));
    return await place.begin(units[units.length - 1]!.file, options.now);
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
    const place = placeOf(folder);
    const removed = await place.remove(unitFiles(name));
    if (removed.length === 0) {
      throw new Error(`Cannot remove the units of ${folder}: there are none in ${place.folder}`);
    }
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
  const [program, ...args] = lastingCommand(ownCommand("bpm"));
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

/** The units of a project among those of this user. */
function placeOf(folder: string): UserUnits {
  return new UserUnits("bpm", (text) => {
    const found = unitFolder(text);
    if (found === folder) return undefined;
    return found === undefined ? "somebody else wrote it" : `it is of ${found}`;
  });
}
