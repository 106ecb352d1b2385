/**
 * Small files of `/proc` and `/sys`, each read in one go by a shim, since the runtime lets programs read them only with
 * all permissions. A root can be given, so that tests can bring their own. What a file means is left to who reads it, but
 * for what many ask: what a process uses with all that it has started (`tree.ts`).
 * @module
 */
export { Procfs } from "./procfs.ts";
export { childrenOf, type TreeUsage, treeUsage } from "./tree.ts";
