/**
 * The terminal client of the monitor. A model is changed by events and drawn; what has to be done beside is an effect.
 *
 * Reading order: `model.ts` (what is shown), `builder_rows.ts`, `eagle_rows.ts`, `job_rows.ts`, `log_lines.ts` and
 * `rows.ts` (the rows of each view, which `remember.ts` keeps), `facts.ts` and `selected.ts` (what is known of them),
 * `keymap.ts`, `update.ts`, `input.ts` and `actions.ts` (what keys do), `layout.ts`, `themes.ts`, `pages.ts`,
 * `explain.ts` and `copy.ts` (what is said of a row), `view.ts` and `views/` (how it looks), `run.ts` (the loop and the
 * effects).
 * @module
 */
export { runNixTui, type TuiOptions, type TuiSource } from "./run.ts";
export { type Model, startModel, type Tab, TABS } from "./model.ts";
export { update } from "./update.ts";
export { view } from "./view.ts";
export { type ThemeName, THEMES } from "./theme_names.ts";
