/** Tells the telemetry agent what happens to services, as marks for charts. @module */
import { AgentPush } from "../agent_client/mod.ts";
import type { Supervisor } from "../supervisor/mod.ts";
import { ServiceMarks } from "./service_marks.ts";

/** Goes on until disposed. @param options Socket on which the agent takes events, and who tells them. */
export function tellEvents(
  supervisor: Supervisor,
  options: { readonly path: string; readonly source: string },
): AsyncDisposable {
  const push = new AgentPush(options);
  const marks = new ServiceMarks();
  const stopListening = supervisor.listen((notice) => {
    const mark = marks.take(notice, Date.now());
    if (mark !== undefined) push.tell(mark);
  });
  return {
    async [Symbol.asyncDispose]() {
      stopListening();
      await push[Symbol.asyncDispose]();
    },
  };
}
