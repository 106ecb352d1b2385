/** Taking processes elsewhere, or keeping them for later: upstream's exports, imports and snapshots. @module */
import { boolean, defineTool, integer, object, oneOf, optional, string, withDefault } from "../../mcp/mod.ts";
import { HostError, orToolError } from "../../services/mod.ts";
import { snapshotOf, snapshotPath, takeSnapshot } from "../exchange.ts";
import { type Format, formatOf, readSnapshot, writeSnapshot } from "../snapshots/mod.ts";
import { maybe, TAKEN } from "./schemas.ts";
import { type ToolContext, type ToolMaker } from "./tool.ts";

const WRITES = { destructiveHint: false, openWorldHint: false };
const READS = { destructiveHint: true, openWorldHint: false };
const FILE = string({
  description: "Ends in .json, .yaml or .kdl; below the client's folder unless absolute",
});
const OPTIONAL_FILE = maybe(FILE);
const WRITTEN = object({ path: string(), processes: integer() });

export const exportProcesses: ToolMaker = (context) =>
  defineTool({
    name: "export_processes",
    description: "Export all processes to a file",
    annotations: WRITES,
    input: object({ file_path: OPTIONAL_FILE }),
    output: WRITTEN,
    run: ({ file_path }) =>
      orToolError(() => {
        const { path, processes } = write(context, { file: file_path, format: "json", name: "processes" });
        return { text: `Processes exported successfully to ${path}`, structured: { path, processes } };
      }),
  });

export const importProcesses: ToolMaker = (context) =>
  defineTool({
    name: "import_processes",
    description: "Import processes from a file",
    annotations: READS,
    input: object({ file_path: FILE }),
    output: TAKEN,
    run: ({ file_path: file }, { signal }) =>
      read(context, { file, start: false, signal }, (path) => `Processes imported successfully from ${path}`),
  });

export const exportYaml: ToolMaker = (context) =>
  defineTool({
    name: "export_yaml",
    description: "Export processes to a YAML snapshot",
    annotations: WRITES,
    input: object({
      file_path: OPTIONAL_FILE,
      only_auto_start: withDefault(boolean({ description: "Only those that start by themselves" }), false),
    }),
    output: WRITTEN,
    run: ({ file_path, only_auto_start: onlyAutoStart }) =>
      orToolError(() => {
        const { path, processes } = write(context, {
          file: file_path,
          format: "yaml",
          name: "processes",
          onlyAutoStart,
        });
        const what = onlyAutoStart ? "Auto-start processes" : "All processes";
        return { text: `${what} exported to YAML at ${path}`, structured: { path, processes } };
      }),
  });

export const importYaml: ToolMaker = (context) =>
  defineTool({
    name: "import_yaml",
    description: "Import processes from a YAML snapshot",
    annotations: READS,
    input: object({ file_path: FILE }),
    output: TAKEN,
    run: ({ file_path: file }, { signal }) =>
      read(
        context,
        { file, format: "yaml", start: false, signal },
        (path) => `Processes imported successfully from YAML file ${path}`,
      ),
  });

export const createSnapshot: ToolMaker = (context) =>
  defineTool({
    name: "create_snapshot",
    description: "Create a snapshot of all processes",
    annotations: WRITES,
    output: WRITTEN,
    run: () =>
      orToolError(() => {
        const { path, processes } = write(context, { file: undefined, format: "yaml", name: SNAPSHOT });
        return { text: `Snapshot created successfully at ${path}`, structured: { path, processes } };
      }),
  });

export const restoreSnapshot: ToolMaker = (context) =>
  defineTool({
    name: "restore_snapshot",
    description: "Restore the processes of the last snapshot, and start those that start by themselves",
    annotations: READS,
    output: TAKEN,
    run: (_, { signal }) =>
      read(context, { file: SNAPSHOT_FILE, start: true, signal }, () => "Snapshot restored successfully"),
  });

/** Upstream's names; `surql` was its database's. */
const SNAPSHOT_FORMATS = ["yaml", "kdl", "json"] as const;

export const createFormattedSnapshot: ToolMaker = (context) =>
  defineTool({
    name: "create_formatted_snapshot",
    description: "Create a snapshot in a format",
    annotations: WRITES,
    input: object({ file_path: OPTIONAL_FILE, format: optional(oneOf(SNAPSHOT_FORMATS)) }),
    output: WRITTEN,
    run: ({ file_path, format = "yaml" }) =>
      orToolError(() => {
        const { path, processes } = write(context, { file: file_path, format, name: SNAPSHOT });
        const shown = format[0]!.toUpperCase() + format.slice(1);
        return {
          text: `Snapshot created successfully at ${path} (format: ${shown})`,
          structured: { path, processes },
        };
      }),
  });

const SNAPSHOT = "snapshot";
const SNAPSHOT_FILE = `${SNAPSHOT}.yaml`;

function write(
  { host, client }: ToolContext,
  { file, format, name, onlyAutoStart = false }: {
    readonly file: string | null | undefined;
    readonly format: Format;
    readonly name: string;
    readonly onlyAutoStart?: boolean;
  },
): { readonly path: string; readonly processes: number } {
  const path = snapshotPath(host, file ?? `${name}.${format}`, file == null ? undefined : client?.folder);
  if (formatOf(path) === undefined) {
    throw new HostError(`Cannot write snapshot ${path}: its name must end in .yaml, .kdl or .json`);
  }
  const snapshot = snapshotOf(host, { onlyAutoStart });
  told(() => writeSnapshot(path, snapshot, format));
  return { path, processes: snapshot.processes.length };
}

function read(
  { host, client }: ToolContext,
  { file, format, start, signal }: {
    readonly file: string;
    readonly format?: Format;
    readonly start: boolean;
    readonly signal: AbortSignal;
  },
  text: (path: string) => string,
) {
  return orToolError(async () => {
    const isOwn = file === SNAPSHOT_FILE && start;
    const path = snapshotPath(host, file, isOwn ? undefined : client?.folder);
    const snapshot = told(() => readSnapshot(path, format));
    const taken = await takeSnapshot(host, snapshot, { client, start, signal });
    const left = taken.skipped.length === 0
      ? []
      : [`Not changed, since they run: ${taken.skipped.join(", ")}`];
    const down = taken.not_started.map(({ id, reason }) => `Not started: '${id}': ${reason}`);
    return { text: [text(path), ...left, ...down].join("\n"), structured: taken };
  });
}

/** What is wrong with a file is for the client to hear. */
function told<T>(body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw new HostError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
