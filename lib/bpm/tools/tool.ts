/** What every tool needs: the manager, and its errors as those of a tool. @module */
import { string, ToolError } from "../../mcp/mod.ts";
import { InstanceError, PatternError } from "../log_search.ts";
import { type Manager, ManagerError } from "../manager.ts";

/** Makes tools for one manager. */
export type ToolMaker = (manager: Manager) => import("../../mcp/mod.ts").Tool;

/** The argument that nearly all of them take. */
export const processName = string({ description: "Name of the process", minLength: 1 });

/** Passes on what a client can act on as the tool's own failure. */
export async function orToolError<T>(body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const isTold = error instanceof ManagerError || error instanceof InstanceError ||
      error instanceof PatternError;
    if (isTold) throw new ToolError(error.message, { cause: error });
    throw error;
  }
}
