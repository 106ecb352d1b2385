/** What tests of the supervisor share. */
import { ok } from "node:assert/strict";
import type { Notice, Service, Supervisor } from "../../lib/supervisor/mod.ts";

/** A state folder that goes away with the test. */
export class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "supervisor-" });
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Listens, and resolves when a notice satisfies the test. */
export function until(supervisor: Supervisor, test: (notice: Notice) => boolean): Promise<Notice> {
  return new Promise((resolve) => {
    const stop = supervisor.listen((notice) => {
      if (!test(notice)) return;
      stop();
      resolve(notice);
    });
  });
}

export const isState = (kind: string) => (notice: Notice): boolean =>
  notice.kind === "state" && notice.state.kind === kind;

/** Of the instance that serves. */
export function pidOf(supervisor: Supervisor, name: string): number {
  const status = (supervisor.services.get(name) as Service).current?.status();
  ok(status?.kind === "running", Deno.inspect(status));
  return status.pid;
}
