/**
 * The dashboards as data: sections of groups of charts. How a chart looks follows from what its queries give (one
 * series: a line; one per CPU: a heatmap; a histogram: a bucket heatmap), so a definition says only what to show.
 * @module
 */
import { BUILDS } from "./builds.ts";
import { BLOCKIO } from "./blockio.ts";
import { CPU } from "./cpu.ts";
import { MEMORY } from "./memory.ts";
import { NETWORK } from "./network.ts";
import { OVERVIEW } from "./overview.ts";
import { SCHEDULER } from "./scheduler.ts";
import { SYSCALL } from "./syscall.ts";
import type { SectionDef } from "./chart_def.ts";

export type { ChartDef, GroupDef, QueryDef, SectionDef, Unit } from "./chart_def.ts";
export { expandQuery } from "./chart_def.ts";

/** Charts of a section that the page asks for before all others: these draw while the rest is evaluated. */
export const FIRST_CHARTS = 2;

/** In the order of the page's navigation; keys 1 to 9 open those that are shown. */
export const SECTIONS: readonly SectionDef[] = [
  OVERVIEW,
  CPU,
  SCHEDULER,
  SYSCALL,
  BLOCKIO,
  NETWORK,
  MEMORY,
  BUILDS,
];
