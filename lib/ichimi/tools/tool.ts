/** What the tools share. @module */
import { type Schema, string, type Tool } from "../../mcp/mod.ts";
import type { ToolOptions } from "../../services/mod.ts";
import type { CiWatch } from "../ci_watch.ts";
import type { Client } from "../client.ts";
import type { Doorway } from "../doorway.ts";
import type { IchimiHost } from "../host.ts";

/** What tools are made for. */
export interface ToolContext extends ToolOptions {
  readonly host: IchimiHost;
  /** Who calls; undefined where nobody knows, over HTTP. */
  readonly client: Client | undefined;
  readonly doorway: Pick<Doorway, "open">;
  readonly ci: Pick<CiWatch, "watch">;
}

/** Makes tools of one client. */
export type ToolMaker = (context: ToolContext) => Tool;

/** The argument that nearly all of them take. */
export const processId: Schema<string> = string({ description: "Id of the process" });
