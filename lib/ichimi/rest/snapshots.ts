/** Snapshots: kept beside the daemon's state, taken back, and taken elsewhere. @module */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { array, boolean, integer, object, oneOf, optional, string, withDefault } from "../../mcp/mod.ts";
import { snapshotOf, takeSnapshot } from "../exchange.ts";
import {
  type Format,
  formatOf,
  FORMATS,
  parseSnapshot,
  snapshotText,
  writeSnapshot,
} from "../snapshots/mod.ts";
import { timeText } from "../state.ts";
import { maybe, TAKEN } from "../tools/schemas.ts";
import { RestError } from "./errors.ts";
import { type RestContext, type Route, route } from "./route.ts";
import { SNAPSHOT_FILE } from "./shapes.ts";

const tag = "snapshots";
/** No path, and nothing hidden. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,99}$/u;
/** More of them is more than anybody looks through. */
const LISTED = 500;

const START = withDefault(boolean({ description: "Starts those that start by themselves" }), false);

export function snapshotRoutes({ host }: RestContext): Route[] {
  const folder = `${host.stateFolder}/snapshots`;
  return [
    route({
      method: "get",
      path: "/snapshots",
      id: "listSnapshots",
      tag,
      summary: "Snapshots that are kept",
      answer: { status: 200, description: "Newest first", schema: array(SNAPSHOT_FILE) },
      run: () => filesIn(folder),
    }),
    route({
      method: "post",
      path: "/snapshots",
      id: "createSnapshot",
      tag,
      summary: "Keeps how all processes are described now",
      body: object({
        name: maybe(string({ description: "With or without an ending; by the time when left out" })),
        format: withDefault(oneOf(FORMATS), "yaml"),
        only_auto_start: withDefault(boolean(), false),
      }),
      bodyIsOptional: true,
      answer: {
        status: 201,
        description: "It is kept",
        schema: object({ name: string(), processes: integer() }),
      },
      failures: [409, 422],
      run({ body: { name, format = "yaml", only_auto_start: onlyAutoStart = false } }) {
        const snapshot = snapshotOf(host, { onlyAutoStart });
        const file = checkedName(name ?? `snapshot ${snapshot.timestamp.replaceAll(":", "-")}`, format);
        if (statSync(`${folder}/${file}`, { throwIfNoEntry: false }) !== undefined) {
          throw new RestError(409, `There is a snapshot '${file}' already`);
        }
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeSnapshot(`${folder}/${file}`, snapshot, formatOf(file)!);
        return { name: file, processes: snapshot.processes.length };
      },
    }),
    route({
      method: "get",
      path: "/snapshots/{name}",
      id: "downloadSnapshot",
      tag,
      summary: "The file",
      answer: { status: 200, description: "The file", type: "application/octet-stream" },
      failures: [404],
      run: ({ path }) => download(path.name!, textIn(folder, path.name!)),
    }),
    route({
      method: "delete",
      path: "/snapshots/{name}",
      id: "deleteSnapshot",
      tag,
      summary: "Removes the file",
      answer: { status: 204, description: "It is gone" },
      failures: [404],
      run({ path }) {
        textIn(folder, path.name!);
        rmSync(`${folder}/${path.name}`);
      },
    }),
    route({
      method: "post",
      path: "/snapshots/{name}/restore",
      id: "restoreSnapshot",
      tag,
      summary: "Describes processes as they were then; those that run stay as they are",
      body: object({ start: START }),
      bodyIsOptional: true,
      answer: { status: 200, description: "What became of them", schema: TAKEN },
      failures: [404, 422],
      run: ({ path, body, signal }) => {
        const text = textIn(folder, path.name!);
        const snapshot = parseSnapshot(text, formatOf(path.name!)!);
        return takeSnapshot(host, snapshot, { client: undefined, start: body.start ?? false, signal });
      },
    }),
    route({
      method: "get",
      path: "/export",
      id: "exportProcesses",
      tag,
      summary: "All processes as a file",
      query: object({ format: withDefault(oneOf(FORMATS), "yaml"), only_auto_start: optional(boolean()) }),
      answer: { status: 200, description: "The file", type: "application/octet-stream" },
      run({ query: { format, only_auto_start: onlyAutoStart = false } }) {
        return download(`processes.${format}`, snapshotText(snapshotOf(host, { onlyAutoStart }), format));
      },
    }),
    route({
      method: "post",
      path: "/import",
      id: "importProcesses",
      tag,
      summary: "Describes the processes of a file",
      body: object({ content: string(), format: oneOf(FORMATS), start: START }),
      answer: { status: 200, description: "What became of them", schema: TAKEN },
      failures: [422],
      run: ({ body: { content, format, start }, signal }) =>
        takeSnapshot(host, parseSnapshot(content, format), { client: undefined, start, signal }),
    }),
  ];
}

function filesIn(folder: string) {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    // Nobody has made one yet.
    if ((error as { readonly code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
  return names.flatMap((name) => {
    const format = formatOf(name);
    const found = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
    if (format === undefined || found?.isFile() !== true) return [];
    return [{ name, format, size_bytes: found.size, modified_at: timeText(found.mtimeMs) }];
  }).sort((a, b) => a.modified_at < b.modified_at ? 1 : -1).slice(0, LISTED);
}

/** @throws {RestError} When it is a path, or has an ending that tells another format. */
function checkedName(name: string, format: Format): string {
  if (!NAME.test(name)) {
    throw new RestError(422, `'${name}' is no name: letters, digits, spaces, '.', '_' and '-' are taken`);
  }
  return formatOf(name) === undefined ? `${name}.${format}` : name;
}

function textIn(folder: string, name: string): string {
  const path = `${folder}/${name}`;
  const isThere = NAME.test(name) && formatOf(name) !== undefined &&
    statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  if (!isThere) throw new RestError(404, `There is no snapshot '${name}'`);
  return readFileSync(path, "utf8");
}

function download(name: string, text: string): Response {
  return new Response(text, {
    headers: {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
