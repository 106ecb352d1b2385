/** The programs that a server can be entered in, and where and how they keep their entries. @module */

/** How a client reaches a server. */
export type ServerEntry =
  | {
    readonly kind: "command";
    readonly command: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  }
  | { readonly kind: "http"; readonly url: string; readonly headers?: Readonly<Record<string, string>> };

/** Folders that files are looked for in. */
export interface Places {
  /** The person's home. */
  readonly home: string;
  /** The project's root. */
  readonly project: string;
}

/** One program's file of servers. */
export interface ClientApp {
  readonly id: string;
  /** As it is called in help. */
  readonly title: string;
  readonly format: "json" | "jsonc" | "toml";
  /** The object that has one member per server. */
  readonly parent: string;
  file(places: Places): string;
  /** The member's value. */
  value(entry: ServerEntry): Record<string, unknown>;
}

/** Values without those that are left out. */
function typed(type: string | undefined, entry: ServerEntry): Record<string, unknown> {
  const kind = type === undefined ? {} : { type };
  if (entry.kind === "http") {
    return {
      ...kind,
      url: entry.url,
      ...(entry.headers === undefined ? {} : { headers: { ...entry.headers } }),
    };
  }
  const env = entry.env === undefined ? {} : { env: { ...entry.env } };
  return { ...kind, command: entry.command, args: [...entry.args], ...env };
}

/** Clients that name the kind of a server. */
function withType(entry: ServerEntry): Record<string, unknown> {
  return typed(entry.kind === "http" ? "http" : "stdio", entry);
}

/** All known clients; the first is the default. */
export const CLIENT_APPS: readonly ClientApp[] = [
  {
    id: "claude",
    title: "Claude Code, for all projects of this user",
    format: "json",
    parent: "mcpServers",
    file: ({ home }) => `${home}/.claude.json`,
    value: withType,
  },
  {
    id: "claude-project",
    title: "Claude Code, for everyone who works on this project",
    format: "json",
    parent: "mcpServers",
    file: ({ project }) => `${project}/.mcp.json`,
    value: withType,
  },
  {
    id: "cursor",
    title: "Cursor, for all projects of this user",
    format: "json",
    parent: "mcpServers",
    file: ({ home }) => `${home}/.cursor/mcp.json`,
    value: (entry) => typed(undefined, entry),
  },
  {
    id: "vscode",
    title: "VS Code, for this project",
    format: "jsonc",
    parent: "servers",
    file: ({ project }) => `${project}/.vscode/mcp.json`,
    value: withType,
  },
  {
    id: "codex",
    title: "Codex, for all projects of this user",
    format: "toml",
    parent: "mcp_servers",
    file: ({ home }) => `${home}/.codex/config.toml`,
    value: (entry) => {
      if (entry.kind === "command" || entry.headers === undefined) return typed(undefined, entry);
      return { url: entry.url, http_headers: { ...entry.headers } };
    },
  },
];
