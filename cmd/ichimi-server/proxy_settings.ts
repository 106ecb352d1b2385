/** What a proxy is told by its command line, and by the table that this names. @module */
import { UsageError } from "../../lib/cli/mod.ts";
import type { ChildCommand, ProxyLimits, ProxyOptions, ServerSpec } from "../../lib/mcp_proxy/mod.ts";

/** Options of the command line. */
export interface ProxyFlags {
  readonly url: string | undefined;
  readonly build: string | undefined;
  readonly watch: readonly string[];
  readonly tools: boolean;
  readonly wait: number | undefined;
  readonly call_limit: number | undefined;
  readonly config: string | undefined;
}

export interface ProxySettings {
  readonly spec: ServerSpec;
  readonly options: ProxyOptions;
}

/**
 * The command line counts more than the table; `undefined` when neither says where the server is.
 * @throws {UsageError} When there is no such table.
 */
export async function settingsOf(
  name: string | undefined,
  words: readonly string[],
  flags: ProxyFlags,
): Promise<ProxySettings | undefined> {
  const table = name === undefined ? undefined : await tableOf(name, flags.config);
  const url = flags.url ?? table?.url;
  const [program, ...args] = words.length > 0 ? words : table?.command ?? [];
  const command: ChildCommand | undefined = program === undefined
    ? undefined
    : { argv: [program, ...args], cwd: table?.folder, env: table?.env };
  const token = table?.token_file === undefined
    ? undefined
    : (await Deno.readTextFile(table.token_file)).trim();
  const spec = specOf(url, command, token);
  if (spec === undefined) return undefined;
  const limits: Partial<ProxyLimits> = {
    ...(table === undefined ? {} : {
      ...{ waitMs: table.wait, callMs: table.call_limit, pingMs: table.ping, hangMs: table.hang_limit },
      ...{ startMs: table.start_limit, drainMs: table.drain },
    }),
    ...(flags.wait === undefined ? {} : { waitMs: flags.wait }),
    ...(flags.call_limit === undefined ? {} : { callMs: flags.call_limit }),
  };
  return {
    spec,
    options: {
      limits,
      build: flags.build ?? table?.build,
      watch: flags.watch.length > 0 ? flags.watch : table?.watch ?? [],
      ...(table?.folder === undefined ? {} : { watchFolder: table.folder }),
      ownTools: flags.tools || table?.tools === true,
    },
  };
}

function specOf(
  url: string | undefined,
  command: ChildCommand | undefined,
  token: string | undefined,
): ServerSpec | undefined {
  if (url === undefined) return command === undefined ? undefined : { kind: "stdio", command };
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) throw new UsageError(`"${url}" is no HTTP address`);
  return { kind: "http", url, command, token };
}

async function tableOf(name: string, file: string | undefined) {
  const { readConfig } = await import("./settings.ts");
  const { proxy } = readConfig(file).config;
  const table = Object.hasOwn(proxy, name) ? proxy[name] : undefined;
  if (table !== undefined) return table;
  const names = Object.keys(proxy);
  const there = names.length === 0
    ? "there is none"
    : `there ${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;
  throw new UsageError(`the configuration has no table [proxy.${name}]: ${there}`);
}
