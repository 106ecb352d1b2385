/** Why a build waits or failed, or a command did, in words. Pure. @module */
import { isOver } from "../../nix/mod.ts";
import { durationWord, plainText } from "../../tui/mod.ts";
import { briefFailure, hashLines } from "../failure_text.ts";
import { commandText } from "../summary.ts";
import { waitingText } from "../waiting.ts";
import { criticalPaths, elapsedMs, waitingOf } from "./facts.ts";
import { type Model, worldOf } from "./model.ts";
import { selectedCommand, selectedJob } from "./selected.ts";

/** Lines of a log that are shown with it. */
const TAIL_LINES = 20;

export function explained(model: Model): Model {
  const text = model.tab === "history" ? pastText(model) : commandWords(model) ?? jobText(model);
  if (text === undefined) return model;
  return { ...model, overlay: { kind: "text", title: "why", text, top: 0 } };
}

function pastText({ history, lists }: Model): string | undefined {
  const past = history[lists.history.selected];
  if (past === undefined) return undefined;
  const how = past.failure === undefined ? `it has ${past.outcome}` : plainText(past.failure);
  return [past.derivation, "", how, "", ...past.tail.map(plainText)].join("\n").trimEnd();
}

/** What a command has said of itself, and how it ended. */
function commandWords(model: Model): string | undefined {
  const command = selectedCommand(model)?.command;
  if (command === undefined) return undefined;
  const { state, startedMs, endedMs, problems } = command;
  const took = durationWord((endedMs ?? model.nowMs) - startedMs);
  const told = problems.flatMap(({ severity, text }) => ["", `${severity}: ${plainText(text).trim()}`]);
  const how = state === "running" ? `it has run for ${took}` : `it is over after ${took}: ${state}`;
  return [commandText(command), "", how, ...told].join("\n");
}

function jobText(model: Model): string | undefined {
  const world = worldOf(model);
  const job = world.jobs.get(selectedJob(model) ?? 0);
  if (job === undefined) return undefined;
  const waiting = waitingOf(model, job);
  const lines = [job.subject, ""];
  if (job.state.kind === "failed") {
    const hashes = hashLines(job);
    if (hashes.length === 0) lines.push(plainText(job.state.failure.text));
    else lines.push(briefFailure(job), ...hashes);
  } else if (waiting !== undefined) {
    lines.push(waitingText(waiting));
    if ("jobs" in waiting) lines.push("", ...waiting.jobs.map(({ name, state }) => `${state.kind}  ${name}`));
  } else if (isOver(job)) lines.push(`it is over: ${job.state.kind}`);
  else lines.push(`it has run for ${durationWord(elapsedMs(job, model.nowMs))}`);
  if (!isOver(job) && criticalPaths(model).has(job.subject)) {
    lines.push("", "The end of its command waits for it: it is on the critical path.");
  }
  const tail = (world.tails.get(job.id) ?? []).slice(-TAIL_LINES).map(plainText);
  return [...lines, "", ...tail].join("\n").trimEnd();
}
