/**
 * The development-process manager's own words: what its tools answer (`log_search.ts`, pure). Supervision, keepers and
 * the protocol belong to others.
 * @module
 */
export {
  EMPTY_LOG,
  instanceAt,
  InstanceError,
  type LogQuery,
  NO_MATCH,
  PatternError,
  searchLog,
} from "./log_search.ts";
