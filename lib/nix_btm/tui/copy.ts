/** What is copied from each view. Pure. @module */
import { tableRows } from "./builder_rows.ts";
import { plainText } from "../../tui/mod.ts";
import { eagleRows } from "./eagle_rows.ts";
import { lineAt, lineCount } from "./log_lines.ts";
import { type Model, worldOf } from "./model.ts";
import { buildAt, selectedJob } from "./selected.ts";

/** The path or command of what is selected, or the log; `undefined` where there is nothing. */
export function copyText(model: Model): string | undefined {
  switch (model.tab) {
    case "build":
      return logText(model);
    case "history":
      return model.history[model.lists.history.selected]?.derivation;
    case "builders": {
      if (model.side === "table") return tableRows(model)[model.table.selected]?.command.join(" ");
      const build = buildAt(model);
      return build?.drvPath ?? build?.outputs["out"] ?? build?.name;
    }
    case "eagle": {
      const row = eagleRows(model)[model.lists.eagle.selected];
      return row?.kind === "command" ? row.command.targets.join(" ") || undefined : row?.path;
    }
    case "jobs":
      return worldOf(model).jobs.get(selectedJob(model) ?? 0)?.subject;
    case "hosts":
      return undefined;
    default:
      return model.tab satisfies never;
  }
}

function logText(model: Model): string | undefined {
  const count = lineCount(model);
  if (count === 0) return undefined;
  return Array.from({ length: count }, (_, at) => plainText(lineAt(model, at)!)).join("\n");
}
