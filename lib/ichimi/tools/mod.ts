/** The tools of the process manager: upstream's ten first, under upstream's names. @module */
import type { Tool } from "../../mcp/mod.ts";
import { explain, readLogs, searchLogs, send, usage, wait } from "../../services/mod.ts";
import { echo, getStatus, ping } from "./basic.ts";
import {
  getCiFailedLogs,
  getCiRunDetails,
  listCiRuns,
  startCiMonitoring,
  waitForCiCompletion,
} from "./ci.ts";
import { getClipboard, setClipboardText } from "./clipboard.ts";
import { createProcess, updateProcess, updateProcessConfig } from "./create_process.ts";
import { getProcessOutput, getProcessStatus, listProcesses } from "./look.ts";
import { removeProcess, restartProcess, startProcess, stopProcess } from "./run_process.ts";
import {
  createFormattedSnapshot,
  createSnapshot,
  exportProcesses,
  exportYaml,
  importProcesses,
  importYaml,
  restoreSnapshot,
} from "./snapshots.ts";
import { getSuggestions } from "./suggestions.ts";
import {
  createProcessFromTemplate,
  createTemplate,
  deleteTemplate,
  getTemplate,
  listTemplates,
  updateTemplate,
} from "./templates.ts";
import { openWebConsole } from "./web_console.ts";
import type { ToolContext, ToolMaker } from "./tool.ts";

/** What assistants get unless they ask for less or more. */
export const DEFAULT_TOOLSETS = ["processes", "assist"] as const;

const TOOLSETS: Readonly<Record<string, readonly ToolMaker[]>> = {
  processes: [
    createProcess,
    startProcess,
    stopProcess,
    getProcessStatus,
    getProcessOutput,
    listProcesses,
    removeProcess,
  ],
  assist: [
    ...[wait, readLogs, searchLogs, send, explain, usage].map((make): ToolMaker => ({ host, agent }) =>
      make(host, { agent })
    ),
    restartProcess,
  ],
  config: [updateProcess, updateProcessConfig],
  templates: [
    createTemplate,
    listTemplates,
    getTemplate,
    updateTemplate,
    deleteTemplate,
    createProcessFromTemplate,
  ],
  ci: [listCiRuns, getCiRunDetails, getCiFailedLogs, waitForCiCompletion, startCiMonitoring],
  suggestions: [getSuggestions],
  clipboard: [setClipboardText, getClipboard],
  snapshots: [
    exportProcesses,
    importProcesses,
    createSnapshot,
    restoreSnapshot,
    exportYaml,
    importYaml,
    createFormattedSnapshot,
  ],
  web: [openWebConsole],
};

/** Names of all sets of tools. */
export const TOOLSET_NAMES: readonly string[] = Object.keys(TOOLSETS);

/** The tools of a client, in the order of the sets. */
export function ichimiTools(context: ToolContext, toolsets: readonly string[]): Tool[] {
  const wanted = TOOLSET_NAMES.filter((name) => toolsets.includes(name));
  const makers = [
    echo,
    ping,
    getStatus(() => tools.map(({ name }) => name)),
    ...wanted.flatMap((name) => TOOLSETS[name]!),
  ];
  const tools: Tool[] = makers.map((make) => make(context));
  return tools;
}
