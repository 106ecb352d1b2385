/** Snapshots as KDL, as upstream's `processes.kdl`: the first version of the language, which all readers take. Pure. @module */
import { InvalidKdlError, type Node } from "@bgotink/kdl";
import { parseCompat } from "@bgotink/kdl/v1-compat";
import {
  distinct,
  type KeptProcess,
  ownFields,
  readProcess,
  type Snapshot,
  SNAPSHOT_VERSION,
  SnapshotError,
  stateFields,
} from "./snapshot.ts";

export function toKdl({ timestamp, hostname, processes }: Snapshot): string {
  const host = hostname === undefined ? "" : ` hostname=${quoted(hostname)}`;
  const meta = `meta version=${quoted(SNAPSHOT_VERSION)} timestamp=${quoted(timestamp)}${host}\n`;
  return meta + processes.map(processText).join("");
}

function processText(process: KeptProcess): string {
  const { id, name, command, args, env, cwd, autoStartOnRestore, tags, state } = process;
  const words = [
    `process ${quoted(id)} name=${quoted(name)} command=${quoted(command)}`,
    ...args.map((arg) => `args=${quoted(arg)}`),
    ...cwd === null ? [] : [`cwd=${quoted(cwd)}`],
    ...autoStartOnRestore ? ["auto_start=true"] : [],
    ...tags.map((tag) => `tag=${quoted(tag)}`),
    ...Object.entries(ownFields(process)).map(([key, value]) => `${key}=${quoted(value)}`),
  ];
  const variables = Object.entries(env).map(([key, value]) =>
    `        var ${quoted(key)} ${quoted(value)}\n`
  );
  const fields = Object.entries(stateFields(state)).flatMap(([key, value]) =>
    value === null ? [] : [` ${key}=${typeof value === "number" ? value : quoted(value)}`]
  );
  const children = [
    ...variables.length === 0 ? [] : [`    env {\n${variables.join("")}    }\n`],
    ...state.kind === "not_started" ? [] : [`    state ${quoted(state.kind)}${fields.join("")}\n`],
  ];
  return `${words.join(" ")}${children.length === 0 ? "" : ` {\n${children.join("")}}`}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  '"': '\\"',
  "\\": "\\\\",
};

/** What a string cannot have as it is. */
const SPECIAL = /["\\\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/gu;

function quoted(text: string): string {
  const escaped = text.replaceAll(SPECIAL, (found, at: number) => {
    // Some readers would take an escaped backslash before "u{" for the beginning of a number.
    const simple = text.startsWith("u{", at + 1) && found === "\\" ? undefined : ESCAPES[found];
    return simple ?? `\\u{${found.codePointAt(0)!.toString(16)}}`;
  });
  return `"${escaped}"`;
}

/** @throws {SnapshotError} Saying what is wrong, with its place. */
export function fromKdl(text: string): Snapshot {
  let nodes: readonly Node[];
  try {
    nodes = parseCompat(text).nodes;
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    throw new SnapshotError(`not KDL: ${reason.message.split("\n")[0]}`, { cause: error });
  }
  const meta = nodes.find((node) => node.getName() === "meta");
  const version = meta?.getProperty("version") ?? SNAPSHOT_VERSION;
  if (`${version}` !== SNAPSHOT_VERSION) {
    throw new SnapshotError(`its version is ${JSON.stringify(version)}, expected "${SNAPSHOT_VERSION}"`);
  }
  const hostname = meta?.getProperty("hostname");
  const processes = nodes.filter((node) => node.getName() === "process");
  return {
    timestamp: String(meta?.getProperty("timestamp") ?? ""),
    ...typeof hostname === "string" ? { hostname } : {},
    processes: distinct(processes.map((node, at) => readProcess(fieldsOf(node), `Process ${at + 1}`))),
  };
}

/** There is one for each version of the language: the file is of that which has understood more of it. */
function reasonOf(error: unknown): InvalidKdlError | undefined {
  const found = (error instanceof AggregateError ? error.errors : [error]).flatMap((each) =>
    each instanceof InvalidKdlError ? [...each.flat()].slice(0, 1) : []
  );
  const at = ({ start }: InvalidKdlError) => start?.offset ?? 0;
  return found.sort((a, b) => at(b) - at(a))[0];
}

function fieldsOf(node: Node): Record<string, unknown> {
  const all = (name: string) =>
    node.entries.filter((entry) => entry.getName() === name).map((entry) => entry.getValue());
  const variables = (node.children?.nodes ?? []).filter((child) => child.getName() === "env")
    .flatMap((child) => child.children?.nodes ?? []);
  return {
    id: node.getArgument(0),
    name: node.getProperty("name"),
    command: node.getProperty("command"),
    args: all("args"),
    cwd: node.getProperty("cwd"),
    auto_start_on_restore: node.getProperty("auto_start"),
    tags: all("tag"),
    env: Object.fromEntries(variables.map((each) => [String(each.getArgument(0)), each.getArgument(1)])),
    restart: node.getProperty("restart"),
    input: node.getProperty("input"),
  };
}
