/** `ichimi-server unit`: the daemon as a service of its user under systemd. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { text, toggle } from "../../lib/config/mod.ts";

const NAME = option(text<string>({ help: "Name of the units.", fallback: "ichimi-server" }), {
  value: "NAME",
});
const OPTIONS = {
  name: NAME,
  unconfined: option(
    toggle({
      help: "Without restrictions, for processes that need sudo or rootless containers.",
      fallback: false,
    }),
  ),
};

const printUnits = command({
  name: "print",
  summary: "print the units",
  options: OPTIONS,
  examples: [["ichimi-server unit print", "The service and the socket"]],
  async run({ options }) {
    const units = await unitsOf(options);
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
  options: {
    ...OPTIONS,
    now: option(toggle({ help: "Listens now and at each login.", fallback: false })),
  },
  examples: [["ichimi-server unit install --now", "The first assistant starts it from now on"]],
  async run({ options }) {
    const units = await unitsOf(options);
    const place = await placeOf();
    await place.write(units, filesOf(options.name));
    return await place.begin(`${options.name}.socket`, options.now);
  },
});

const uninstall = command({
  name: "uninstall",
  summary: "stop the service and remove the units",
  options: { name: NAME },
  examples: [["ichimi-server unit uninstall", "Both"]],
  async run({ options }) {
    const place = await placeOf();
    if ((await place.remove(filesOf(options.name))).length > 0) return 0;
    throw new Error(`Cannot remove the units "${options.name}": there are none in ${place.folder}`);
  },
});

export const unit = command({
  name: "unit",
  summary: "run the daemon as a service of systemd",
  commands: [printUnits, install, uninstall],
  examples: [["ichimi-server unit install --now", "From now on systemd listens for assistants"]],
});

function filesOf(name: string): [string, string] {
  return [`${name}.service`, `${name}.socket`];
}

async function unitsOf({ name, unconfined }: { readonly name: string; readonly unconfined: boolean }) {
  const [{ ichimiService, ichimiSocket }, { lastingCommand }, { ownCommand }, { folders }] = await Promise
    .all([
      import("../../lib/ichimi/mod.ts"),
      import("../../lib/systemd/mod.ts"),
      import("../../lib/build/own_command.ts"),
      import("./paths.ts"),
    ]);
  const all = {
    name,
    command: [...lastingCommand(ownCommand("ichimi-server")), "daemon"] as [string, ...string[]],
    path: Deno.env.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
    socket: folders().socket,
    unconfined,
  };
  const [service, socket] = filesOf(name);
  return [{ file: service, text: ichimiService(all) }, { file: socket, text: ichimiSocket(all) }];
}

async function placeOf() {
  const [{ isIchimiUnit }, { UserUnits }] = await Promise.all([
    import("../../lib/ichimi/mod.ts"),
    import("../../lib/systemd/mod.ts"),
  ]);
  return new UserUnits("ichimi-server", (text) => isIchimiUnit(text) ? undefined : "somebody else wrote it");
}
