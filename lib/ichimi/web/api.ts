/** Requests to the daemon. @module */
import { signal } from "@preact/signals";

/** What the daemon has refused. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

/** A short message at the page's edge. */
export interface Toast {
  readonly number: number;
  readonly kind: "good" | "bad";
  readonly text: string;
}

const TOAST_MS = 5_000;
let toastCount = 0;

export const toasts = signal<readonly Toast[]>([]);

/** Says something for a few seconds. */
export function say(kind: Toast["kind"], text: string): void {
  const toast = { number: ++toastCount, kind, text };
  toasts.value = [...toasts.value.slice(-3), toast];
  setTimeout(() => hide(toast), TOAST_MS);
}

export function hide(toast: Toast): void {
  toasts.value = toasts.value.filter((each) => each !== toast);
}

/** The JSON of an answer. @throws {ApiError} */
export async function request<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await fetch(`/api${path}`, {
    method,
    ...signal === undefined ? {} : { signal },
    ...body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } },
  });
  if (response.status === 204) return undefined as T;
  const answer = await response.json();
  if (!response.ok) throw new ApiError(response.status, answer.code, answer.error);
  return answer;
}

/** The same; what goes wrong is said, and undefined is what comes of it. */
export async function ask<T>(method: string, path: string, body?: unknown): Promise<T | undefined> {
  try {
    return await request<T>(method, path, body);
  } catch (error) {
    say("bad", error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** A path with a name in it that may hold anything. */
export function pathOf(...parts: string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join("");
}
