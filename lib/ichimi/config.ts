/** The configuration of the daemon of a user, `~/.config/hostkit/ichimi.toml`. Pure. @module */
import { AGENT_PORT, AGENT_PUSH_SOCKET } from "../agent_client/mod.ts";
import {
  type ConfigOf,
  duration,
  expandHome,
  folder,
  integer,
  namedTables,
  strings,
  table,
  text,
  toggle,
} from "../config/mod.ts";
import { type AllowRule, UNLISTED } from "./allow.ts";
import { LOADER_VARIABLES, type Policy, SYSTEM_FOLDERS } from "./policy.ts";
import { PROXY_TABLES } from "./proxy_config.ts";

/** All keys. */
export const ICHIMI_CONFIG = table({
  processes: table({
    log_mib: integer({
      help: "MiB of the log of one run that are kept.",
      fallback: 64,
      min: 1,
      max: 1_048_576,
    }),
    session_grace: duration({
      help: "How long an assistant that has lost its connection may be away.",
      fallback: "10s",
    }),
    project_grace: duration({
      help: "How long processes of a project go on after its last assistant has left.",
      fallback: "1h",
    }),
    keep: duration({ help: "How long what a session has left can be looked at.", fallback: "1d" }),
    idle_exit: duration({
      help: "After so long without assistants and running processes a daemon in the background ends.",
      fallback: "30m",
      minMs: 1_000,
    }),
  }, { help: "Processes, and with whom they end." }),
  policy: table({
    refuse_shell_syntax: toggle({
      help: "Refuses commands and arguments that look as if a shell were to expand them.",
      fallback: true,
    }),
    refuse_env: strings({
      help: "Environment variables that a process must not be given.",
      fallback: LOADER_VARIABLES,
    }),
    refuse_folders: strings({ help: "Folders in which nothing is run.", fallback: SYSTEM_FOLDERS }),
    folders: strings({
      help: "Folders in which, and below which, processes are run; everywhere by default.",
      example: ["/home/alice", "/tmp"],
    }),
  }, { help: "What may be started. The originals' rules are the defaults." }),
  allow: namedTables({
    folder: folder({
      help: "Where it counts, and below: for who works there, and for what runs there.",
      example: "/home/alice/shop",
    }),
    commands: strings({
      help: "Command lines that may be started; * stands for anything, ? for one character.",
      example: ["npm run *", "cargo *"],
    }),
    unlisted: text({
      help:
        "What becomes of others: ask asks the person where the assistant's client can, and refuses elsewhere.",
      fallback: "ask",
      oneOf: UNLISTED,
    }),
  }, {
    help: "What assistants may start in a project; everything where no table is of its folder.",
    example: "shop",
  }),
  agent: table({
    address: text<string>({
      help: "Telemetry agent that is asked what processes use, or off; /proc tells it where none answers.",
      fallback: `127.0.0.1:${AGENT_PORT}`,
    }),
    push: text<string>({
      help: "Socket of the agent that is told what happens to processes, as marks on charts, or off.",
      fallback: AGENT_PUSH_SOCKET,
    }),
  }, { help: "The telemetry agent of this host." }),
  web: table({
    host: text<string>({
      help:
        "Address on which the console and the APIs are served. Beyond loopback the token and all else goes over the network unencrypted.",
      fallback: "127.0.0.1",
    }),
    port: integer({
      help: "Its port; the next free one when somebody has it.",
      fallback: 12_700,
      min: 0,
      max: 65_435,
    }),
    always: toggle({
      help: "Opens it with the daemon; otherwise when it is asked for first.",
      fallback: false,
    }),
  }, {
    help: "Web console, REST and MCP over HTTP. Everybody must show the token that lies beside the state.",
  }),
  proxy: PROXY_TABLES,
}, { help: "Configuration of ichimi-server." });

/** What a configuration reads as. */
export type IchimiConfig = ConfigOf<typeof ICHIMI_CONFIG>;

export function policyOf({ policy }: IchimiConfig): Policy {
  return {
    refuseShellSyntax: policy.refuse_shell_syntax,
    refuseEnv: policy.refuse_env,
    refuseFolders: policy.refuse_folders,
    folders: policy.folders,
  };
}

/** @param home What `~` stands for. */
export function allowRulesOf({ allow }: IchimiConfig, home: string | undefined): AllowRule[] {
  return Object.values(allow).map((rule) => ({ ...rule, folder: expandHome(rule.folder, home) }));
}
