/** The views by their tabs. @module */
import type { Area } from "../../../tui/mod.ts";
import type { Model, Tab } from "../model.ts";
import { drawBuild } from "./build.ts";
import { drawBuilders } from "./builders.ts";
import { drawEagle } from "./eagle.ts";
import { drawHistory } from "./history.ts";
import { drawHosts } from "./hosts.ts";
import { drawJobs } from "./jobs.ts";

/** Each draws its body. */
export const VIEWS: Readonly<Record<Tab, (area: Area, model: Model) => void>> = {
  builders: drawBuilders,
  eagle: drawEagle,
  jobs: drawJobs,
  build: drawBuild,
  history: drawHistory,
  hosts: drawHosts,
};
