/**
 * `.mcp-run` of what a project has already: Cargo.toml, package.json, Procfile, compose and process-compose files.
 *
 * Reading order: `found.ts` (what is found, as plain data), `sources.ts` (which files are read), one file for each of
 * them (`cargo_toml.ts`, `package_json.ts`, `procfile.ts`, `compose.ts`, `process_compose.ts`, the last two with more of
 * their name) with their tools (`keys.ts`, `shell.ts`, `variables.ts`, `templates.ts`, `yaml.ts`), `merge.ts` (all as one), `write.ts`
 * (its text), `disk.ts` (files of a folder).
 * What cannot be said in keys is never dropped: it is a note, in the text and to whoever asked.
 * @module
 */
export { diskFolder } from "./disk.ts";
export type { Found, FoundProcess, ProbeKeys, ProcessKeys, ProjectFolder, Suggestion } from "./found.ts";
export { merge, type Plan } from "./merge.ts";
export { findProcesses, SOURCE_FILES } from "./sources.ts";
export { writeConfig } from "./write.ts";
