/** What can be done with processes. @module */
import { ApiError, ask, pathOf, request, say } from "./api.ts";
import { confirmed } from "./controls.tsx";
import { isUp } from "./phase.ts";
import { go, place, type Process } from "./state.ts";
import { words } from "./words.ts";

/** Starts a process, or starts it anew; asks where its project's rules are to ask a person. */
export async function start(id: string, how: "start" | "restart" = "start"): Promise<void> {
  const path = `/processes${pathOf(id, how)}`;
  try {
    await request("POST", path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "not_allowed_yet") {
      return say("bad", error instanceof Error ? error.message : String(error));
    }
    const w = words.value;
    const isAllowed = await confirmed({
      title: w.allowTitle,
      text: error.message,
      action: w.allowOnce,
      isDanger: false,
    });
    if (!isAllowed || await ask("POST", path, { allow: true }) === undefined) return;
  }
  say("good", words.value.started(id));
}

/** Shows a process that was just made, and starts it where that is wanted. */
export async function goToNew(id: string, isStarted: boolean): Promise<void> {
  go("processes", id);
  if (isStarted) await start(id);
  else say("good", words.value.created(id));
}

export async function stop(id: string): Promise<void> {
  try {
    await request("POST", `/processes${pathOf(id, "stop")}`);
    say("good", words.value.stopped(id));
  } catch (error) {
    say("bad", error instanceof Error ? error.message : String(error));
  }
}

export async function toggle({ id, live }: Process): Promise<void> {
  await (isUp(live.peek()) ? stop(id) : start(id));
}

export async function remove(id: string): Promise<void> {
  const w = words.value;
  const isMeant = await confirmed({
    title: w.confirmRemove(id),
    text: w.confirmRemoveMore,
    action: w.remove,
  });
  if (!isMeant) return;
  try {
    await request("DELETE", `/processes${pathOf(id)}`);
    say("good", w.removed(id));
    if (place.value.page === "processes" && place.value.item === id) go("processes");
  } catch (error) {
    say("bad", error instanceof Error ? error.message : String(error));
  }
}
