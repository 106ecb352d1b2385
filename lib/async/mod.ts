/**
 * Waiting and doing several things at once, so that nothing outlives the block that began it: groups of tasks
 * (`task_group.ts`), signals (`aborted.ts`), time limits and pauses that leave no timer behind (`time.ts`), waits before
 * restarts (`backoff.ts`), the count of native calls that hold a thread (`native_waits.ts`), and the end of any process
 * (`exit.ts`). What is waited for is left to others.
 * @module
 */
export { abortable, aborted } from "./aborted.ts";
export { type Backoff, backoffMs } from "./backoff.ts";
export { TaskGroup } from "./task_group.ts";
export { type Deadline, deadline, LONGEST_WAIT_MS, sleep } from "./time.ts";
export { waitForExit } from "./exit.ts";
export { NATIVE_WAIT_LIMIT, NativeWaits, nativeWaits } from "./native_waits.ts";
