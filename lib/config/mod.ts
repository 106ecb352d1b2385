/**
 * Configuration files: one description of keys gives the TypeScript type, the strict reader and the sample file.
 *
 * Reading order: `key.ts` (kinds of values), `table.ts` (tables, reading, errors with places), `sample.ts`.
 * @module
 */
export {
  duration,
  expandHome,
  folder,
  integer,
  type Key,
  optionalDuration,
  optionalInteger,
  optionalNumber,
  optionalSize,
  optionalText,
  optionalToggle,
  parseDuration,
  parseSize,
  stringMap,
  strings,
  text,
  toggle,
  words,
} from "./key.ts";
export {
  allKeys,
  ConfigError,
  type ConfigOf,
  defaults,
  type Entries,
  loadConfig,
  type Loaded,
  namedTables,
  nearestName,
  parseConfig,
  type Table,
  table,
  type TableList,
  type TableMap,
  tables,
} from "./table.ts";
export { sampleConfig } from "./sample.ts";
